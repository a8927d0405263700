"""From a plan to API calls and words to runners. Nothing is decided here."""
