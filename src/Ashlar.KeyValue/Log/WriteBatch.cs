using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Puts and deletes that are applied together or not at all. Later entries win over earlier ones: a delete of a range leaves what is put
/// behind it. Not safe for concurrent callers. While a write of it is under way it may be read and written to other stores, and every
/// change is refused (<see cref="InvalidOperationException"/>).
/// </summary>
public sealed partial class WriteBatch
{
    /// <summary>Largest batch, with 16 bytes for each entry's head.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>So many ranges a batch deletes at the most: what covers a key is to be found in little time and memory.</summary>
    public const int MaxRangeDeletes = 1024;

    // Kept in the encoding of the log, so that checksums are computed by the writing threads, not by the one that commits.
    // Room for the head of a group comes first, so that a batch that is alone in its group is written from here.
    byte[] buffer = [];
    int isFramed;

    // Writes under way, or -1 while it is being changed: what a store encodes, checks and remembers of a batch is of one moment,
    // whatever threads its owner uses.
    const int Changing = -1;
    int writes;
    bool mayUseReserve;

    /// <summary>Number of operations.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Whether the puts of this batch may use a part of what is kept for a full disk
    /// (<see cref="KeyValueOptions.SpaceReserveBytes"/>): for the few that an owner has to write before it can give space back.
    /// <see cref="Clear"/> resets it.
    /// </summary>
    /// <remarks>
    /// On a full disk other puts are refused. Puts of such batches are taken until a quarter of the reserve is used up, and then
    /// refused in the same way (<see cref="Ashlar.Storage.StorageErrorKind.NoSpace"/>). The rest belongs to batches that only delete,
    /// which need not set this. The reserve is filled up again as soon as there is room.
    /// </remarks>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public bool MayUseReserve
    {
        get => mayUseReserve;
        set
        {
            BeginChange();
            mayUseReserve = value;
            EndChange();
        }
    }

    /// <summary>Whether it holds anything but deletes.</summary>
    internal bool HasPuts { get; private set; }

    /// <summary>Whether it deletes a range: stores of earlier programs do not know how to read that.</summary>
    internal bool HasRangeDeletes => RangeDeletes > 0;

    /// <summary>How many ranges it deletes.</summary>
    internal int RangeDeletes { get; private set; }

    /// <summary>Keyspaces that it has entries of; null if there are none.</summary>
    internal List<KeyspaceIdentity>? Keyspaces { get; private set; }

    /// <summary>Whether it has entries in the range of keyspaces that do not come by a keyspace.</summary>
    internal bool HasReservedKeys { get; private set; }

    /// <summary>Whether such entries are the engine's own: of names, and of what was archived.</summary>
    internal bool IsOfEngine { get; init; }

    internal SpaceClaim Claim => !HasPuts ? SpaceClaim.All : MayUseReserve ? SpaceClaim.PartOfReserve : SpaceClaim.None;

    /// <summary>Bytes that the batch takes in the log.</summary>
    public int LengthBytes { get; private set; }

    internal ReadOnlySpan<byte> Entries => LengthBytes == 0 ? default : buffer.AsSpan(LogGroupHeader.SizeBytes, LengthBytes);

    /// <summary>
    /// The entries behind room for the head of a group, for one leader at a time: a batch may be written to several stores at once, each
    /// of which has a head of its own. <see cref="EndFrame"/> must follow.
    /// </summary>
    /// <returns>False if another leader has it; the entries have to be copied then.</returns>
    internal bool TryFrame(out Span<byte> framed)
    {
        framed = default;
        if (Interlocked.CompareExchange(ref isFramed, 1, 0) != 0) return false;
        framed = buffer.AsSpan(0, LogGroupHeader.SizeBytes + LengthBytes);
        return true;
    }

    /// <summary>The group was written, or not.</summary>
    internal void EndFrame() => Volatile.Write(ref isFramed, 0);

    /// <summary>Of puts outside of keyspaces alone: a key that is too long for them may be there, and be deleted.</summary>
    internal int LongestPutKeyBytes { get; private set; }

    /// <summary>Of puts to keyspaces, without what stands for the keyspace.</summary>
    internal int LongestKeyspaceKeyBytes { get; private set; }

    internal int LongestValueBytes { get; private set; }

    /// <summary>Adds a put. Key and value are copied.</summary>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Add(EntryKind.Put, key, value);

    /// <summary>Adds a put that reads as absent from a moment on. Key and value are copied.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="expiresAt">
    /// The moment, to the millisecond. One that has passed already is allowed: such a put deletes.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The moment lies before 1970.</exception>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset expiresAt) =>
        AddExpiring(key, value, Expiry.At(expiresAt));

    /// <summary>
    /// Adds a put that reads as absent once a time has passed since this call by a clock, which should be that of the store. Key and
    /// value are copied. <see cref="IKeyspace.ExpiryAfter"/> gives the moment by the store's clock.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <param name="clock">The store's (<see cref="KeyValueOptions.TimeProvider"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time is zero or negative, or ends beyond the year 9999.
    /// </exception>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        AddExpiring(key, value, Expiry.After(timeToLive, clock));
    }

    /// <summary>Adds a delete.</summary>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Delete(ReadOnlySpan<byte> key) => Add(EntryKind.Delete, key, default);

    /// <summary>
    /// Adds a delete of all keys in a range: it takes the same time and space, however many there are. A range without keys adds nothing.
    /// </summary>
    /// <exception cref="KeyLengthException">A border of the range is longer than any key can be.</exception>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="TooManyRangeDeletesException">
    /// The batch deletes <see cref="MaxRangeDeletes"/> ranges already.
    /// </exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void DeleteRange(KeyRange range)
    {
        if (range.End.Length > KeyValueOptions.KeyLimitBytes)
            throw new KeyLengthException(range.End.Length, KeyValueOptions.KeyLimitBytes);
        // No key is smaller than one byte of zero.
        var start = range.Start.IsEmpty ? [0] : range.Start;
        if (range.HasEnd && start.SequenceCompareTo(range.End) >= 0) return;
        Add(EntryKind.RangeDelete, start, range.End);
    }

    /// <summary>Adds a delete of all keys from one inclusive to another exclusive.</summary>
    /// <exception cref="ArgumentException">The start is beyond the end.</exception>
    /// <inheritdoc cref="DeleteRange(KeyRange)" path="/exception" />
    public void DeleteRange(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end) => DeleteRange(KeyRange.Between(start, end));

    /// <summary>Makes the batch empty again, as a new one is; its memory is kept.</summary>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Clear()
    {
        BeginChange();
        Count = 0;
        HasPuts = false;
        RangeDeletes = 0;
        HasReservedKeys = false;
        Keyspaces = null;
        mayUseReserve = false;
        LengthBytes = 0;
        LongestPutKeyBytes = 0;
        LongestKeyspaceKeyBytes = 0;
        LongestValueBytes = 0;
        EndChange();
    }

    /// <summary>
    /// Refuses changes until what is returned is disposed of. A store does so by itself; this is for who passes a batch on to a store later
    /// than its own caller believes.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread is changing the batch.</exception>
    public IDisposable Hold()
    {
        BeginWrite();
        return new HeldBatch(this);
    }

    /// <inheritdoc cref="Hold" />
    internal void BeginWrite()
    {
        while (true)
        {
            var present = Volatile.Read(ref writes);
            if (present == Changing) throw new InvalidOperationException("The batch is being changed, so it cannot be written.");
            if (Interlocked.CompareExchange(ref writes, present + 1, present) == present) return;
        }
    }

    /// <summary>Ends what <see cref="BeginWrite"/> began.</summary>
    internal void EndWrite() => Invariant.Require(Interlocked.Decrement(ref writes) >= 0);

    /// <summary>
    /// Adds an entry of another batch as it is. One of a keyspace stays so: only its store takes the batch.
    /// </summary>
    /// <exception cref="BatchTooLargeException">The batch would outgrow <see cref="MaxBytes"/>.</exception>
    /// <exception cref="TooManyRangeDeletesException">
    /// The batch deletes <see cref="MaxRangeDeletes"/> ranges already.
    /// </exception>
    /// <exception cref="InvalidOperationException">A write of the batch is under way.</exception>
    public void Add(WriteBatchEntry entry)
    {
        BeginChange();
        try
        {
            var (hadReserved, longest) = (HasReservedKeys, LongestPutKeyBytes);
            var stored = entry.IsRangeDelete ? entry.RangeEnd : entry.Value;
            var target = Extend(entry.Kind, entry.Key, stored, entry.ExpiryBytes);
            entry.Encoded.CopyTo(target);
            if (!entry.IsOfKeyspace) return;
            // Which entries of its batch came by no keyspace is not known any more: then this one counts as such, too.
            CountAsOfKeyspace(entry.Kind, entry.Key, hadReserved || entry.Batch!.HasReservedKeys, longest);
            foreach (var keyspace in entry.Batch!.Keyspaces!)
            {
                if (entry.Key.StartsWith(keyspace.Prefix)) AddKeyspace(keyspace);
            }
        }
        finally
        {
            EndChange();
        }
    }

    /// <summary>Gives a large buffer back, so that one large value does not stay in memory with a reused batch.</summary>
    internal void Trim(int limitBytes)
    {
        if (buffer.Length > limitBytes) buffer = [];
    }

    /// <summary>Adds an entry of a keyspace.</summary>
    internal void Add(
        KeyspaceIdentity keyspace, EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt = 0)
    {
        const int LimitBytes = KeyValueOptions.KeyLimitBytes - KeyspaceRegion.PrefixBytes;
        if (key.IsEmpty || key.Length > LimitBytes) throw new KeyLengthException(key.Length, LimitBytes);
        AddStored(keyspace, kind, keyspace.Store(key, stackalloc byte[256]), value, expiresAt);
    }

    void AddStored(KeyspaceIdentity keyspace, EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt)
    {
        BeginChange();
        try
        {
            var (hadReserved, longest) = (HasReservedKeys, LongestPutKeyBytes);
            if (kind == EntryKind.ExpiringPut) LogEntry.WriteExpiring(Extend(kind, key, value, Expiry.SizeBytes), key, expiresAt, value);
            else LogEntry.Write(Extend(kind, key, value, 0), kind, key, value);
            CountAsOfKeyspace(kind, key, hadReserved, longest);
            AddKeyspace(keyspace);
        }
        finally
        {
            EndChange();
        }
    }

    // It was counted as one like others: its key may be where it is, and is shorter by what stands for the keyspace.
    void CountAsOfKeyspace(EntryKind kind, ReadOnlySpan<byte> key, bool hasReservedKeys, int longestPutKeyBytes)
    {
        (HasReservedKeys, LongestPutKeyBytes) = (hasReservedKeys, longestPutKeyBytes);
        if (kind.IsPut()) LongestKeyspaceKeyBytes = Math.Max(LongestKeyspaceKeyBytes, key.Length - KeyspaceRegion.PrefixBytes);
    }

    void AddKeyspace(KeyspaceIdentity keyspace)
    {
        Keyspaces ??= [];
        if (!Keyspaces.Contains(keyspace)) Keyspaces.Add(keyspace);
    }

    void Add(EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        BeginChange();
        try
        {
            LogEntry.Write(Extend(kind, key, value, 0), kind, key, value);
        }
        finally
        {
            EndChange();
        }
    }

    void AddExpiring(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt)
    {
        BeginChange();
        try
        {
            LogEntry.WriteExpiring(Extend(EntryKind.ExpiringPut, key, value, Expiry.SizeBytes), key, expiresAt, value);
        }
        finally
        {
            EndChange();
        }
    }

    void BeginChange()
    {
        var present = Interlocked.CompareExchange(ref writes, Changing, 0);
        if (present == 0) return;
        throw new InvalidOperationException(present == Changing
            ? "Another thread is changing the batch."
            : "The batch cannot be changed before the write of it that is under way has completed.");
    }

    void EndChange() => Volatile.Write(ref writes, 0);

    /// <summary>Makes room for an entry, which the caller writes.</summary>
    Span<byte> Extend(EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int extraBytes)
    {
        if (key.IsEmpty || key.Length > KeyValueOptions.KeyLimitBytes)
            throw new KeyLengthException(key.Length, KeyValueOptions.KeyLimitBytes);
        if (value.Length > KeyValueOptions.ValueLimitBytes)
            throw new ValueTooLongException(value.Length, KeyValueOptions.ValueLimitBytes);
        // What was archived is taken as it is.
        if (kind == EntryKind.RangeDelete && RangeDeletes >= MaxRangeDeletes && !IsOfEngine)
            throw new TooManyRangeDeletesException(MaxRangeDeletes);
        var start = LengthBytes;
        var size = LogEntry.HeaderBytes + key.Length + extraBytes + value.Length;
        var end = (long)LengthBytes + size;
        if (end > MaxBytes) throw new BatchTooLargeException(end, MaxBytes);
        var needed = LogGroupHeader.SizeBytes + end;
        if (needed > buffer.Length)
        {
            var limit = LogGroupHeader.SizeBytes + (long)MaxBytes;
            Array.Resize(ref buffer, (int)Math.Min(limit, Math.Max(needed, Math.Max(256, 2L * buffer.Length))));
        }

        LengthBytes = (int)end;
        Count++;
        if (kind == EntryKind.RangeDelete) RangeDeletes++;
        HasReservedKeys |= KeyspaceRegion.Holds(key)
            || (kind == EntryKind.RangeDelete && (value.IsEmpty || value.SequenceCompareTo(KeyspaceRegion.Start) > 0));
        if (kind.IsPut())
        {
            HasPuts = true;
            LongestPutKeyBytes = Math.Max(LongestPutKeyBytes, key.Length);
            LongestValueBytes = Math.Max(LongestValueBytes, value.Length);
        }

        return buffer.AsSpan(LogGroupHeader.SizeBytes + start, size);
    }

    sealed class HeldBatch(WriteBatch batch) : IDisposable
    {
        WriteBatch? held = batch;

        public void Dispose() => Interlocked.Exchange(ref held, null)?.EndWrite();
    }
}
