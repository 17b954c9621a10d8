"""What is done with a folder as a whole, over months: checked, backed up, brought up to date, rid of its trash."""
