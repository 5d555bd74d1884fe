using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

public sealed partial class WriteBatch
{
    /// <summary>Adds a put to a keyspace of the store that the batch is written to.</summary>
    /// <exception cref="KeyLengthException">The key is empty, or longer than <see cref="Keyspace.KeyLimitBytes"/>.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Put(Keyspace keyspace, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        Add(keyspace.Identity, EntryKind.Put, key, value);
    }

    /// <summary>Adds a put to a keyspace that reads as absent once a time has passed since this call.</summary>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, TimeProvider)" />
    public void Put(
        Keyspace keyspace, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        ArgumentNullException.ThrowIfNull(clock);
        Add(keyspace.Identity, EntryKind.ExpiringPut, key, value, Expiry.After(timeToLive, clock));
    }

    /// <summary>Adds a delete of a key in a keyspace.</summary>
    /// <inheritdoc cref="Put(Keyspace, ReadOnlySpan{byte}, ReadOnlySpan{byte})" path="/exception" />
    public void Delete(Keyspace keyspace, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        Add(keyspace.Identity, EntryKind.Delete, key, default);
    }

    /// <summary>Adds a delete of all keys in a range of a keyspace; of no other.</summary>
    /// <inheritdoc cref="DeleteRange(KeyRange)" path="/exception" />
    public void DeleteRange(Keyspace keyspace, KeyRange range)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        var stored = Keyspace.Stored(keyspace.Identity, range);
        if (stored.End.Length > KeyValueOptions.KeyLimitBytes)
            throw new KeyLengthException(stored.End.Length - KeyspaceRegion.PrefixBytes, Keyspace.KeyLimitBytes);
        if (stored.Start.SequenceCompareTo(stored.End) < 0)
            AddStored(keyspace.Identity, EntryKind.RangeDelete, stored.Start, stored.End, expiresAt: 0);
    }
}
