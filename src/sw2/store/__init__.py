"""Bytes by hash, in packs.

**Invariant** nothing here parses what it stores. **Invariant** reading takes no lock."""

from sw2.store.objects import ObjectStore, ObjectWriter, StoreFault, name_of

__all__ = ["ObjectStore", "ObjectWriter", "StoreFault", "name_of"]
