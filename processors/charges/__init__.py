"""What lateness costs (R22): interest by rate tables, fixed sums, fees, their caps, and the claims that they become."""
