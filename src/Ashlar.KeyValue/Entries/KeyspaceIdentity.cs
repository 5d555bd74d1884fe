namespace Ashlar.KeyValue.Entries;

/// <summary>A keyspace of a store that is open, as those know it who write.</summary>
sealed class KeyspaceIdentity(object owner, uint id, string name)
{
    bool isDropped;

    /// <summary>The store.</summary>
    public object Owner { get; } = owner;

    public string Name { get; } = name;

    /// <summary>What its keys begin with.</summary>
    public byte[] Prefix { get; } = KeyspaceRegion.PrefixOf(id);

    /// <summary>What the keys of the next keyspace begin with.</summary>
    public byte[] End { get; } = KeyspaceRegion.PrefixOf(checked(id + 1));

    /// <summary>Whether it was dropped, or is about to be: nothing is written to it any more.</summary>
    public bool IsDropped
    {
        get => Volatile.Read(ref isDropped);
        set => Volatile.Write(ref isDropped, value);
    }

    /// <summary>A key of it as it is stored.</summary>
    /// <param name="key">The key.</param>
    /// <param name="buffer">Holds the result, if there is room.</param>
    public ReadOnlySpan<byte> Store(ReadOnlySpan<byte> key, Span<byte> buffer)
    {
        var length = Prefix.Length + key.Length;
        if (buffer.Length < length) buffer = new byte[length];
        Prefix.CopyTo(buffer);
        key.CopyTo(buffer[Prefix.Length..]);
        return buffer[..length];
    }
}
