"""What published rows say: statistics, verdicts and the text and tables of the pages."""
