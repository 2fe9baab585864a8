"""What a person looks at: plots, figures made of them, HTML pages, the report of a run."""
