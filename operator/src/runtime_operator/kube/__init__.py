"""Everything that speaks HTTP and websockets with the API server."""
