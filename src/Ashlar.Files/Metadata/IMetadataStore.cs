namespace Ashlar.Files;

/// <summary>
/// All that is known of files but their content, as one transactional store: where two calls conflict, it decides. Leases and periods go
/// by its own clock, whatever the callers' clocks say.
/// </summary>
public interface IMetadataStore : ICustomers, IUsers, INotes, INamespace, IUploads, IBlockCatalogue, ICollection, IAsyncDisposable;
