"""The admin listener as an OpenAPI 3.1 document: a file for each kind of route, put together by `document.py`."""
