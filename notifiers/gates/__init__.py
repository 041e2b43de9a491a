"""What puts a delivery off: each gate says until when a job must wait, and why."""
