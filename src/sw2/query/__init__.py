"""Reading tables at any commit: handles, SQL, and what other libraries want."""

from sw2.query.handle import Table
from sw2.query.reading import Reading, open, query, query_batches, table

__all__ = ["Reading", "Table", "open", "query", "query_batches", "table"]
