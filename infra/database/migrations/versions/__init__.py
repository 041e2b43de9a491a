"""One module per migration, named ``m<number>_<what>``; what has been released is never edited."""
