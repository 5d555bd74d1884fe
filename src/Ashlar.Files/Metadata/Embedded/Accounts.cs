using System.Collections.Concurrent;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// What customers use, in memory: a quota is checked against what is used and what transactions under way are about to add, so that it is
/// exact whoever writes at the same time. A customer's account is read before its first transaction, so it misses none.
/// </summary>
sealed class Accounts(KeyValueStore store)
{
    readonly ConcurrentDictionary<CustomerId, Account> accounts = new();
    readonly Lock gate = new();

    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    public Account Of(CustomerId customer)
    {
        if (accounts.TryGetValue(customer, out var known)) return known;
        lock (gate) return accounts.GetOrAdd(customer, Read);
    }

    /// <summary>Of a customer that is deleted. Who reads its account at this moment is waited for, so that it does not come back.</summary>
    public void Forget(CustomerId customer)
    {
        lock (gate) accounts.TryRemove(customer, out _);
    }

    Account Read(CustomerId customer)
    {
        var key = MetadataKeys.Customer(customer);
        var row = store.Get(key) ?? throw new CustomerNotFoundException(customer);
        var used = default(Usage);
        using var rows = store.Scan(KeyRange.Prefix(MetadataKeys.Usages(customer)));
        while (rows.MoveNext()) used += Rows.ReadUsage(rows.Key, rows.Value);
        var (pinned, uploads, parts) = (0L, 0L, 0L);
        using var pins = store.Scan(KeyRange.Prefix(MetadataKeys.CustomerPins(customer)));
        while (pins.MoveNext()) pinned += Pin.Read(pins.Key, pins.Value).LengthBytes;
        using var intents = store.Scan(KeyRange.Prefix(MetadataKeys.Intents(customer)));
        while (intents.MoveNext()) uploads++;
        using var ofUploads = store.Scan(KeyRange.Prefix(MetadataKeys.CustomerParts(customer)));
        while (ofUploads.MoveNext()) parts++;
        return new(customer, Rows.ReadCustomer(key, row).Quota, used, pinned, uploads, parts);
    }
}

/// <summary>
/// What one customer uses and may use. Blocks that uploads have pinned count as files do, for they lie on the nodes as those of files do;
/// so does what uploads have announced and not yet sent. It is forgotten with the process, as the connections are that bring it.
/// </summary>
sealed class Account(CustomerId customer, Quota quota, Usage used, long pinnedBytes, long uploads, long parts)
{
    readonly Lock gate = new();
    readonly Dictionary<ulong, long> announced = []; // What each upload has still to send.
    Quota quota = quota;
    Usage used = used, reserved;
    long pinnedBytes = pinnedBytes, uploads = uploads, parts = parts, announcedBytes;

    public Quota Quota
    {
        set
        {
            lock (gate) quota = value;
        }
    }

    /// <summary>
    /// Before the write: takes room for what it adds. What it gives back counts when it has, but for pins that become references: these
    /// would count twice.
    /// </summary>
    /// <exception cref="QuotaExceededException">There is none.</exception>
    public void Reserve(UsageChanges changes)
    {
        lock (gate)
        {
            Check(changes.Total, changes.UnpinnedBytes + announced.GetValueOrDefault(changes.Upload));
            reserved += Increase(changes.Total);
            pinnedBytes -= changes.UnpinnedBytes;
        }
    }

    /// <summary>Before the write: takes room for blocks that an upload pins, of what it has announced first.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="bytes">Their length.</param>
    /// <param name="replacedBytes">What the file that the upload may replace will give back.</param>
    /// <exception cref="QuotaExceededException">There is none.</exception>
    /// <returns>What is taken of what was announced, for <see cref="Unpin"/> where the write fails.</returns>
    public long Pin(ulong upload, long bytes, long replacedBytes)
    {
        lock (gate)
        {
            var known = Math.Min(bytes, announced.GetValueOrDefault(upload));
            Check(new(bytes - known, 0, 0), replacedBytes);
            pinnedBytes += bytes;
            Announce(upload, -known);
            return known;
        }
    }

    /// <summary>After the write that took pins back, or did not take them.</summary>
    /// <param name="bytes">Their length.</param>
    /// <param name="upload">The upload that goes on, where it did not take them.</param>
    /// <param name="known">What had been taken of what it has announced.</param>
    public void Unpin(long bytes, ulong upload = 0, long known = 0)
    {
        lock (gate)
        {
            pinnedBytes -= bytes;
            if (known > 0) Announce(upload, known);
        }
    }

    /// <summary>Before the write that opens an upload, or opens it anew: takes room for what it has announced.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="isNew">Whether it was not open.</param>
    /// <param name="file">What the file will add; null where nobody has said how long it is.</param>
    /// <param name="pinned">What the upload has pinned before.</param>
    /// <param name="replacedBytes">How long the file is that it may replace; null if there is none.</param>
    /// <exception cref="QuotaExceededException">There is none, or there are too many uploads.</exception>
    public void OpenUpload(ulong upload, bool isNew, Usage? file, long pinned, long? replacedBytes)
    {
        lock (gate)
        {
            if (isNew) Check("open uploads", uploads, 1, quota.Uploads);
            Announce(upload, -announced.GetValueOrDefault(upload)); // Whoever held it before sends nothing more.
            if (file is { } expected)
            {
                // As for pins: what is replaced is given back once, however many are about to replace it.
                Check(expected with { Files = replacedBytes is null ? expected.Files : 0 }, pinned + (replacedBytes ?? 0));
                Announce(upload, Math.Max(0, expected.Bytes - pinned));
            }

            if (isNew) uploads++;
        }
    }

    /// <summary>After the write that ended an upload, or did not open it.</summary>
    public void EndUpload(ulong upload)
    {
        lock (gate)
        {
            uploads--;
            Announce(upload, -announced.GetValueOrDefault(upload));
        }
    }

    /// <summary>Nothing more comes of what an upload has announced: it is over, though some of what it has written is left.</summary>
    public void GiveUp(ulong upload)
    {
        lock (gate) Announce(upload, -announced.GetValueOrDefault(upload));
    }

    /// <summary>Before the write of a part that was not there.</summary>
    /// <exception cref="QuotaExceededException">There are too many.</exception>
    public void AddPart()
    {
        lock (gate)
        {
            Check("parts of open uploads", parts, 1, quota.Parts);
            parts++;
        }
    }

    /// <summary>After the write that took parts away, or did not add them.</summary>
    public void RemoveParts(long count)
    {
        lock (gate) parts -= count;
    }

    /// <summary>After the write.</summary>
    public void Settle(UsageChanges changes, bool isCommitted)
    {
        lock (gate)
        {
            reserved -= Increase(changes.Total);
            if (isCommitted) used += changes.Total;
            else pinnedBytes += changes.UnpinnedBytes;
            if (!isCommitted) return;
            if (changes.EndsUpload) uploads--;
            parts -= changes.EndedParts;
            if (changes.Upload != 0) Announce(changes.Upload, -announced.GetValueOrDefault(changes.Upload));
        }
    }

    void Announce(ulong upload, long change)
    {
        Invariant.Require(gate.IsHeldByCurrentThread);
        if (change == 0) return;
        announcedBytes += change;
        var left = announced.GetValueOrDefault(upload) + change;
        if (left == 0) announced.Remove(upload);
        else announced[upload] = left;
        Invariant.Require(left >= 0 && announcedBytes >= 0);
    }

    static Usage Increase(Usage change) => new(Math.Max(0, change.Bytes), Math.Max(0, change.Files), Math.Max(0, change.Directories));

    void Check(Usage change, long givenBackBytes)
    {
        Invariant.Require(gate.IsHeldByCurrentThread);
        var taken = used + reserved;
        Check("bytes", Math.Max(0, taken.Bytes + pinnedBytes + announcedBytes - givenBackBytes), change.Bytes, quota.Bytes);
        Check("files", taken.Files, change.Files, quota.Files);
        Check("directories", taken.Directories, change.Directories, quota.Directories);
    }

    void Check(string what, long taken, long more, long limit)
    {
        if (more > 0 && more > limit - taken) throw new QuotaExceededException(customer, what, taken, more, limit);
    }
}
