"""Programs' JSON Schemas applied while the operator goes on with its work: children, and who waits for them."""
