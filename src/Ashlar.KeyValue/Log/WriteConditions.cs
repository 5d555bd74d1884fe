using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue;

/// <summary>
/// What has to hold for a batch to be written: keys that are absent, or unchanged since they were read. All of them are checked at the
/// moment at which the batch takes effect. Not safe for concurrent callers.
/// </summary>
public sealed partial class WriteConditions
{
    readonly List<WriteCondition> conditions = [];
    readonly List<KeyspaceIdentity?> owners = []; // Of each condition; null: of no keyspace.

    /// <summary>Number of conditions.</summary>
    public int Count => conditions.Count;

    /// <summary>Requires that a key is absent. The key is copied.</summary>
    /// <returns>These conditions.</returns>
    /// <exception cref="KeyLengthException">The key is empty or longer than any can be.</exception>
    public WriteConditions RequireAbsent(ReadOnlySpan<byte> key) => RequireUnchanged(key, 0);

    /// <summary>Requires that a key is present and nobody has written it, not even the same value. The key is copied.</summary>
    /// <param name="key">The key.</param>
    /// <param name="sequence">
    /// What <see cref="IKeyValueReader.TryGetInfo"/> or <see cref="IKeyValueReader.Get(ReadOnlySpan{byte}, out KeyValueEntryInfo)"/> told;
    /// 0 requires that the key is absent.
    /// </param>
    /// <returns>These conditions.</returns>
    /// <exception cref="KeyLengthException">The key is empty or longer than any can be.</exception>
    public WriteConditions RequireUnchanged(ReadOnlySpan<byte> key, ulong sequence)
    {
        if (key.IsEmpty || key.Length > KeyValueOptions.KeyLimitBytes)
            throw new KeyLengthException(key.Length, KeyValueOptions.KeyLimitBytes);
        Add(key, sequence, owner: null);
        return this;
    }

    /// <summary>Removes all conditions.</summary>
    public void Clear()
    {
        conditions.Clear();
        owners.Clear();
    }

    /// <summary>Walks the keys that the conditions are about, in the order in which they were added.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Keys => conditions.Select(condition => (ReadOnlyMemory<byte>)condition.Key);

    /// <summary>Keyspaces that it has keys of.</summary>
    internal IReadOnlyList<KeyspaceIdentity> Keyspaces => [.. owners.OfType<KeyspaceIdentity>().Distinct()];

    internal WriteCondition[] ToArray() => [.. conditions];

    void Add(ReadOnlySpan<byte> key, ulong sequence, KeyspaceIdentity? owner)
    {
        conditions.Add(new(key.ToArray(), sequence, 0));
        owners.Add(owner);
    }
}
