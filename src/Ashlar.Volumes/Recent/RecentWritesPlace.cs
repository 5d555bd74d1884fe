using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Where a pool logs what it has written and not committed yet, so that the death of its process costs nothing.</summary>
/// <param name="FileSystem">The disk; what is written to it must outlive the process, as in a page cache.</param>
/// <param name="Directory">The log's own directory; created when missing.</param>
/// <param name="BootId">
/// What tells one start of the machine from the next: a log of another one is of no use, for the page cache with its data is gone.
/// </param>
public sealed record RecentWritesPlace(IFileSystem FileSystem, string Directory, Guid BootId);
