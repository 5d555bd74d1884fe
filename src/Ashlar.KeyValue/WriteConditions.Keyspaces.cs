using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

public sealed partial class WriteConditions
{
    /// <summary>Requires that a key is absent from a keyspace of the store that is written to. The key is copied.</summary>
    /// <returns>These conditions.</returns>
    /// <exception cref="KeyLengthException">The key is empty, or longer than <see cref="Keyspace.KeyLimitBytes"/>.</exception>
    public WriteConditions RequireAbsent(Keyspace keyspace, ReadOnlySpan<byte> key) => RequireUnchanged(keyspace, key, 0);

    /// <summary>Requires that a key of a keyspace is present and nobody has written it. The key is copied.</summary>
    /// <param name="keyspace">A keyspace of the store that is written to.</param>
    /// <param name="key">The key.</param>
    /// <param name="sequence">What <see cref="Keyspace.TryGetInfo"/> told; 0 requires that the key is absent.</param>
    /// <returns>These conditions.</returns>
    /// <exception cref="KeyLengthException">The key is empty, or longer than <see cref="Keyspace.KeyLimitBytes"/>.</exception>
    public WriteConditions RequireUnchanged(Keyspace keyspace, ReadOnlySpan<byte> key, ulong sequence)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        AddFor(keyspace.Identity, key, sequence);
        return this;
    }

    /// <summary>The same conditions, with keys of no keyspace as those of one.</summary>
    internal WriteConditions For(KeyspaceIdentity keyspace)
    {
        var all = new WriteConditions();
        for (var i = 0; i < conditions.Count; i++)
        {
            if (owners[i] is { } owner) all.Add(conditions[i].Key, conditions[i].Sequence, owner);
            else all.AddFor(keyspace, conditions[i].Key, conditions[i].Sequence);
        }

        return all;
    }

    void AddFor(KeyspaceIdentity keyspace, ReadOnlySpan<byte> key, ulong sequence)
    {
        if (key.IsEmpty || key.Length > Keyspace.KeyLimitBytes) throw new KeyLengthException(key.Length, Keyspace.KeyLimitBytes);
        Add(keyspace.Store(key, stackalloc byte[256]), sequence, keyspace);
    }
}
