"""The only modules that know kopf: an event becomes a line in the cache and a key in the queue."""
