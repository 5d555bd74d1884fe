using System.Buffers.Binary;
using System.Text;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

// Keyspaces are ranges of keys at the end of all others (KeyspaceRegion). What is written of them is entries like others, so recovery,
// backups, the archive and merges know nothing of them.
//   - The leader of a commit reserves the range: no write is under way meanwhile, so what it finds there is what there is. From then on
//     it refuses entries of the range that do not come from a keyspace.
//   - A keyspace is created by one durable batch: its name and its number, which no other gets.
//   - One is dropped by one durable batch: the name goes, and its range is deleted. It is marked as dropped before that is written;
//     leaders refuse what comes later, so nothing of it lies behind the delete.
public sealed partial class KeyValueStore
{
    /// <summary>Longest name of a keyspace, in bytes of UTF-8.</summary>
    public const int KeyspaceNameLimitBytes = 255;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly Dictionary<string, Keyspace> keyspaces = new(StringComparer.Ordinal);
    readonly Lock keyspaceGate = new();

    internal TimeProvider Clock => options.TimeProvider;

    internal int MaxKeyspaceKeyBytes => Math.Max(0, options.MaxKeyBytes - KeyspaceRegion.PrefixBytes);

    /// <summary>Opens a keyspace, and creates it, durably, if there is none of that name. Each name has one object.</summary>
    /// <remarks>
    /// With its first keyspace a store reserves all keys that begin with FF FF FF FF: outside of keyspaces none can be put any more, and
    /// scans end before them. Earlier programs refuse the store from then on.
    /// </remarks>
    /// <param name="name">1 to 255 bytes as UTF-8; ordinal, so case counts.</param>
    /// <exception cref="ArgumentException">The name is empty, too long, or no valid text.</exception>
    /// <exception cref="ReservedKeyException">A key that begins with FF FF FF FF is there, outside of any keyspace.</exception>
    /// <exception cref="ReadOnlyStoreException">There is none of that name, and the store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; there is no new keyspace.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public Keyspace OpenKeyspace(string name)
    {
        var key = KeyOfName(name);
        using (keyspaceGate.Hold())
        {
            if (FindKeyspace(name, key) is { } known) return known;
            ThrowIfUnwritable();
            if (!state.HasKeyspaces) commits.Run(CommitRequest.ReserveKeyspaces, null, Durability.Unflushed);
            var last = LastKeyspaceId();
            var id = checked((last ?? 0) + 1);
            var value = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(value, id);
            var batch = new WriteBatch { IsOfEngine = true };
            // Once a clock is set back, what had expired there would be in a keyspace.
            if (last is null && HasExpiredReservedKeys()) batch.DeleteRange(KeyRange.From(KeyspaceRegion.Start));
            batch.Put(KeyspaceRegion.Start, KeyspaceRegion.Mark(id));
            batch.Put(key, value);
            Write(batch, Durability.Sync);
            return keyspaces[name] = new Keyspace(this, new KeyspaceIdentity(this, id, name));
        }
    }

    /// <summary>Opens a keyspace that is there; null if there is none of that name.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long, or no valid text.</exception>
    public Keyspace? FindKeyspace(string name)
    {
        var key = KeyOfName(name);
        using (keyspaceGate.Hold()) return FindKeyspace(name, key);
    }

    /// <summary>Names of all keyspaces, in the order of their UTF-8.</summary>
    public IReadOnlyList<string> ListKeyspaces()
    {
        var names = new List<string>();
        if (!state.HasKeyspaces) return names;
        using var cursor = ScanAll(KeyRange.Prefix(KeyspaceRegion.PrefixOf(0)), ScanDirection.Forward);
        while (cursor.MoveNext()) names.Add(StrictUtf8.GetString(cursor.Key[KeyspaceRegion.PrefixBytes..]));
        return names;
    }

    /// <summary>
    /// Drops a keyspace with all of its keys, durably, in the same time however many there are. Cursors and snapshots of before go on
    /// reading what they saw; every other call on it throws <see cref="KeyspaceDroppedException"/>, as do writes of batches with entries of
    /// it. Another of the same name may be opened at once, and is empty.
    /// </summary>
    /// <returns>False if there is none of that name.</returns>
    /// <exception cref="ArgumentException">The name is empty, too long, or no valid text.</exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; the keyspace is still there.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public bool DropKeyspace(string name)
    {
        var key = KeyOfName(name);
        using (keyspaceGate.Hold())
        {
            ThrowIfUnwritable();
            if (FindKeyspace(name, key) is not { } dropped) return false;
            dropped.Identity.IsDropped = true;
            try
            {
                var batch = new WriteBatch { IsOfEngine = true };
                batch.Delete(key);
                batch.DeleteRange(KeyRange.Between(dropped.Identity.Prefix, dropped.Identity.End));
                Write(batch, Durability.Sync);
            }
            catch (Exception refusal) when (refusal is not StorePoisonedException)
            {
                dropped.Identity.IsDropped = false; // Nothing of the batch is left.
                throw;
            }

            keyspaces.Remove(name);
            return true;
        }
    }

    /// <summary>Opens a cursor over keys of any kind.</summary>
    internal KeyValueCursor ScanAll(KeyRange range, ScanDirection direction)
    {
        EnumArgument.RequireDefined(direction);
        var version = state.AcquireNewest(out var sequence);
        return new KeyValueCursor(state, version, sequence, range, direction);
    }

    /// <summary>Reserves the range of keyspaces if a batch of the archive is the one that did.</summary>
    internal void ReserveKeyspacesIfIn(WriteBatch batch)
    {
        if (state.HasKeyspaces) return;
        foreach (var entry in batch)
        {
            if (!entry.Key.SequenceEqual(KeyspaceRegion.Start) || !KeyspaceRegion.TryReadMark(entry.Value, out _)) continue;
            commits.Run(CommitRequest.ReserveKeyspaces, null, Durability.Unflushed);
            return;
        }
    }

    internal void RequireOwnKeyspaces(IReadOnlyList<KeyspaceIdentity> used)
    {
        for (var i = 0; i < used.Count; i++) // By an enumerator each write would allocate one.
        {
            RequireOwnKeyspace(used[i], nameof(used));
            if (used[i].IsDropped) throw new KeyspaceDroppedException(used[i].Name);
        }
    }

    /// <summary>Refuses keyspaces of others; one that was dropped is no less this store's.</summary>
    internal void RequireOwnKeyspace(KeyspaceIdentity keyspace, string parameter)
    {
        if (keyspace.Owner != this)
            throw new ArgumentException($"The keyspace '{keyspace.Name}' is one of another store, or of another opening.", parameter);
    }

    Keyspace? FindKeyspace(string name, byte[] key)
    {
        if (keyspaces.TryGetValue(name, out var known)) return known;
        if (!state.HasKeyspaces || Get(key) is not { } value) return null;
        if (value.Length != sizeof(uint))
            throw new CorruptDataException(files.Directory, 0, $"the number of keyspace '{name}' has {value.Length} bytes");
        var id = BinaryPrimitives.ReadUInt32LittleEndian(value);
        return keyspaces[name] = new Keyspace(this, new KeyspaceIdentity(this, id, name));
    }

    // Null: no batch of a keyspace was written yet. What lies in the region is of a time before it was reserved, and had expired then.
    uint? LastKeyspaceId()
    {
        if (Get(KeyspaceRegion.Start) is not { } value) return null;
        return KeyspaceRegion.TryReadMark(value, out var last)
            ? last
            : throw new CorruptDataException(files.Directory, 0, "the mark of the keyspaces does not hold");
    }

    bool HasExpiredReservedKeys()
    {
        var version = state.AcquireNewest(out var sequence);
        try
        {
            return ReservedKeys.Find(version, sequence, now: 0) is not null;
        }
        finally
        {
            version.Release();
        }
    }

    static byte[] KeyOfName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        byte[] encoded;
        try
        {
            encoded = StrictUtf8.GetBytes(name);
        }
        catch (EncoderFallbackException cause)
        {
            throw new ArgumentException("The name of a keyspace is no valid text.", nameof(name), cause);
        }

        return encoded.Length <= KeyspaceNameLimitBytes
            ? [.. KeyspaceRegion.PrefixOf(0), .. encoded]
            : throw new ArgumentException(
                $"The name of a keyspace has at most {KeyspaceNameLimitBytes} bytes; this one has {encoded.Length}.", nameof(name));
    }
}
