"""Contact law: profiles as dated data, which one holds, and when a debtor may be contacted. It sends nothing."""
