"""Brokers for tests: librdkafka's own mock cluster, which lives as long as this process, and a process that another project has made."""

import itertools
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import noida_db
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

_names = itertools.count()


class Broker:
    """The cluster, with a producer; each topic has four partitions."""

    def __init__(self, producer):
        self.producer = producer
        (broker,) = producer.list_topics(timeout=60).brokers.values()
        self.servers = f"{broker.host}:{broker.port}"

    def topic(self):
        """A new topic."""
        name = f"topic{next(_names)}"
        self.producer.list_topics(name, timeout=60)
        return name

    def send(self, topic, *messages, partition=0):
        """Append messages of (key, value); a value that is no bytes is written as JSON, None is a tombstone."""
        for key, value in messages:
            written = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self.producer.produce(topic, written, key, partition=partition)
        assert self.producer.flush(120) == 0


@contextmanager
def mock_broker():
    yield Broker(Producer({"test.mock.num.brokers": 1, "log_level": 0, "linger.ms": 0}))


class BrokerProcess(Broker):
    """A broker of another make than the client, which can be ended and started again; what it has is in a folder."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.start()
        self.admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.port}", "log_level": 0})
        super().__init__(Producer({"bootstrap.servers": f"127.0.0.1:{self.port}", "log_level": 0, "linger.ms": 0}))

    def start(self):
        """It is there afterwards."""
        own = ["--data-dir", str(self.folder), "--only", "kafka", "--kafka-port", str(self.port)]
        with (self.folder.parent / "broker.log").open("ab") as log:
            self.process = subprocess.Popen([Path(noida_db.__file__).with_name("noida-db"), "start", *own], stdout=log, stderr=log)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert self.process.poll() is None, (self.folder.parent / "broker.log").read_text()
                time.sleep(0.01)

    def end(self):
        """As it is asked to, so what it has confirmed is on disk: a second after a message it would be there after SIGKILL too."""
        self.process.terminate()
        self.process.wait()

    def stand_still(self):
        """It answers nothing until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def topic(self, **config):
        name = f"topic{next(_names)}"
        self.make(name, **config)
        return name

    def make(self, name, **config):
        """A topic of this name."""
        self.admin.create_topics([NewTopic(name, 4, 1, config=config)])[name].result(60)

    def remove(self, name):
        """A topic with all that is in it."""
        self.admin.delete_topics([name])[name].result(60)


@contextmanager
def broker_process(folder):
    broker = BrokerProcess(folder)
    try:
        yield broker
    finally:
        broker.process.kill()
        broker.process.wait()
