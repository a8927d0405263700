"""The API server as the client sees it: the only place that speaks HTTP (with the official ``kubernetes`` package).

Objects are plain dicts. `api` says what can be asked, `errors` what may go wrong.
"""
