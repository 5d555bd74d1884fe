using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>A write on a store that was opened with <see cref="KeyValueOptions.ReadOnly"/>.</summary>
public sealed class ReadOnlyStoreException(string directory) : AshlarException($"{directory}: the store is open for reading only")
{
    /// <summary>Directory of the store.</summary>
    public string Directory { get; } = directory;
}
