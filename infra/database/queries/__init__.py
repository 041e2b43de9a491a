"""What reports ask of SQL. Figures of a past day are sums of movements, never of current rows."""
