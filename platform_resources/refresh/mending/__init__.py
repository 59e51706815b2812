"""What is proposed to mend what an audit has found."""
