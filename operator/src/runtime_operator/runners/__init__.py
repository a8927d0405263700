"""The conversations with runners: attach, hand over, resume, read the journal."""
