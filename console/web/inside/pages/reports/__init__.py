"""Reports: each as a page and as PDF, XLSX and CSV, with filters and chosen columns; kept settings, mailing, schedules."""
