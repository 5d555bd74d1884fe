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

    /// <summary>Adds a put to a keyspace that reads as absent from a moment on.</summary>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, DateTimeOffset)" />
    public void Put(Keyspace keyspace, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset expiresAt)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        Add(keyspace.Identity, EntryKind.ExpiringPut, key, value, Expiry.At(expiresAt));
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

    /// <summary>Adds a put to a keyspace, or to none.</summary>
    internal void Put(KeyspaceIdentity? keyspace, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt)
    {
        if (keyspace is not null) Add(keyspace, expiresAt == 0 ? EntryKind.Put : EntryKind.ExpiringPut, key, value, expiresAt);
        else if (expiresAt == 0) Put(key, value);
        else AddExpiring(key, value, expiresAt);
    }

    /// <summary>Adds all of another batch, with what is of no keyspace for one.</summary>
    /// <exception cref="ReservedKeyException">Which of its entries are of a keyspace cannot be told.</exception>
    internal void AddFor(Keyspace keyspace, WriteBatch other)
    {
        // What came by no keyspace may have the prefix of one: then its key would be taken for that keyspace's.
        if (other.Keyspaces is not null && other.HasReservedKeys)
        {
            throw new ReservedKeyException(
                "The batch has entries of a keyspace, and others with keys that begin with FF FF FF FF, or ranges without an end.");
        }

        MayUseReserve = other.MayUseReserve;
        foreach (var entry in other)
        {
            if (entry.IsOfKeyspace) Add(entry);
            else if (entry.IsRangeDelete) DeleteRange(keyspace, entry.Range);
            else Add(keyspace.Identity, entry.Kind, entry.Key, entry.Value, entry.ExpiresAt?.ToUnixTimeMilliseconds() ?? 0);
        }
    }
}
