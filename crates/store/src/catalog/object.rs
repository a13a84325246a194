//! The one place that builds the handle of the object store.
//!
//! Enters: the store's directory. Leaves: a handle that reads segments, and its address.
//! Refuses: to leave the directory. Later: S3-compatible stores. Source: crate `object_store`.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::error::StoreError;

/// A handle below `root`.
pub(crate) fn local_store(root: &Path) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let store = LocalFileSystem::new_with_prefix(root)
        .map_err(|error| StoreError::Columns(error.to_string()))?;
    Ok(Arc::new(store))
}

/// The address under which the query engine knows that handle.
pub(crate) fn local_url() -> Result<ObjectStoreUrl, StoreError> {
    Ok(ObjectStoreUrl::parse("vigie://local")?)
}
