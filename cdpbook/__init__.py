"""cdpbook: the book made from cdplib: runs, statistics, studies, figures and pages."""
