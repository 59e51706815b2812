// An editor in place of the lab's text field, which completes tables and columns; without this file the field itself takes the query.
(() => {
  const field = document.querySelector("textarea[data-tables]");
  if (!field || !window.CodeMirror) return;
  const { EditorView, EditorState, Prec, keymap, drawSelection, history, historyKeymap, defaultKeymap, tags, sql, SQLDialect,
    syntaxHighlighting, HighlightStyle, bracketMatching, autocompletion, acceptCompletion, closeBrackets, closeBracketsKeymap } = CodeMirror;
  const tables = JSON.parse(field.dataset.tables), label = document.querySelector("label[for=sql]");

  // Columns without a table before them: those of the tables that the query names.
  const columns = (context) => {
    const word = context.matchBefore(/\w+/), text = context.state.doc.toString();
    if (!word || /[.\w]/.test(text[word.from - 1] ?? "")) return null;
    const named = Object.keys(tables).filter((table) => text.includes(table));
    const options = named.flatMap((table) => tables[table].map((column) => ({
      label: column, detail: table, type: "property", boost: 1,
      apply: /^[a-z_]\w*$/.test(column) ? column : `"${column.replaceAll('"', '""')}"`,
    })));
    return { from: word.from, options, validFor: /^\w*$/ };
  };
  const dialect = SQLDialect.define({
    keywords: `all and any as asc asof between by case cast cross desc distinct else end except exclude exists false filter from full group
      having in inner intersect is join lateral left like ilike limit natural not null nulls first last offset on or order outer over partition
      pivot positional qualify replace right rows sample select semi anti similar then to true union unnest unpivot using values when where
      window with`,
    types: "bigint boolean date decimal double float hugeint integer interval json smallint time timestamp timestamptz uuid varchar",
    builtin: `abs avg ceil coalesce concat count count_if date_diff date_part date_trunc day first floor greatest hour least length lower max
      median min month nullif quantile_cont regexp_matches round row_number stddev strftime strptime substring sum trim try_cast upper year`,
  });
  const colours = HighlightStyle.define([
    { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
    { tag: [tags.string, tags.number, tags.bool, tags.null], color: "var(--good)" },
    { tag: tags.comment, color: "var(--ink-2)", fontStyle: "italic" },
  ]);
  const looks = EditorView.theme({
    "&": { background: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius)", fontSize: "var(--t-s)" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
    ".cm-content": { minHeight: "152px", padding: "var(--s3) var(--s2)", caretColor: "var(--ink)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: "var(--accent-soft)" },
    ".cm-tooltip": { background: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius)" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxWidth: "min(640px, 90vw)" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected] .cm-completionDetail": { color: "var(--on-accent)" },
    ".cm-completionDetail": { color: "var(--ink-2)", fontStyle: "normal" },
    ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  });
  const run = () => { field.form.requestSubmit(); return true; };
  // What is typed over several lines: a browser that takes them away itself writes styles into what is left, which the policy refuses.
  const beforeinput = (event, view) => {
    if (event.inputType !== "insertText" || view.composing || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch({ ...view.state.replaceSelection(event.data ?? ""), userEvent: "input.type" });
    return true;
  };
  const extensions = [
    history(), drawSelection(), bracketMatching(), closeBrackets(), EditorView.lineWrapping, syntaxHighlighting(colours), looks,
    EditorView.domEventHandlers({ beforeinput }), autocompletion({ icons: false }), sql({ dialect, schema: tables }), dialect.language.data.of({ autocomplete: columns }),
    Prec.highest(keymap.of([{ key: "Mod-Enter", run }, { key: "Tab", run: acceptCompletion }])),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
    EditorView.contentAttributes.of({ "aria-label": label.textContent.trim(), autocapitalize: "off" }),
    EditorView.updateListener.of((update) => { if (update.docChanged) field.value = update.state.doc.toString(); }),
  ];
  // In a shadow tree its styles are sheets made by script, which the content security policy allows; a style element it does not.
  const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
  field.after(host);
  const editor = new EditorView({ state: EditorState.create({ doc: field.value, extensions }), root, parent: root });
  field.hidden = true;
  field.required = false;
  label.removeAttribute("for");
  label.addEventListener("click", () => editor.focus());
})();
