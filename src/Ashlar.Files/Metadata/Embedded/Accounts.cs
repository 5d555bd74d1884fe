using System.Collections.Concurrent;
using Ashlar.KeyValue;

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
        var (pinned, uploads) = (0L, 0L);
        using var pins = store.Scan(KeyRange.Prefix(MetadataKeys.CustomerPins(customer)));
        while (pins.MoveNext()) pinned += Pin.Read(pins.Key, pins.Value).LengthBytes;
        using var intents = store.Scan(KeyRange.Prefix(MetadataKeys.Intents(customer)));
        while (intents.MoveNext()) uploads++;
        return new(customer, Rows.ReadCustomer(key, row).Quota, used, pinned, uploads);
    }
}

/// <summary>
/// What one customer uses and may use. Blocks that uploads have pinned count as files do, for they lie on the nodes as those of files do.
/// </summary>
sealed class Account(CustomerId customer, Quota quota, Usage used, long pinnedBytes, long uploads)
{
    readonly Lock gate = new();
    Quota quota = quota;
    Usage used = used, reserved;
    long pinnedBytes = pinnedBytes, uploads = uploads;

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
            Check(changes.Total, changes.UnpinnedBytes);
            reserved += Increase(changes.Total);
            pinnedBytes -= changes.UnpinnedBytes;
        }
    }

    /// <summary>Before the write: takes room for blocks that an upload pins.</summary>
    /// <param name="bytes">Their length.</param>
    /// <param name="replacedBytes">What the file that the upload may replace will give back.</param>
    /// <exception cref="QuotaExceededException">There is none.</exception>
    public void Pin(long bytes, long replacedBytes)
    {
        lock (gate)
        {
            Check(new(bytes, 0, 0), replacedBytes);
            pinnedBytes += bytes;
        }
    }

    /// <summary>After the write that took pins back, or did not take them.</summary>
    public void Unpin(long bytes)
    {
        lock (gate) pinnedBytes -= bytes;
    }

    /// <summary>Before the write that opens an upload.</summary>
    /// <exception cref="QuotaExceededException">There are too many.</exception>
    public void OpenUpload()
    {
        lock (gate)
        {
            Check("open uploads", uploads, 1, quota.Uploads);
            uploads++;
        }
    }

    /// <summary>After the write that ended an upload, or did not open it.</summary>
    public void EndUpload()
    {
        lock (gate) uploads--;
    }

    /// <summary>Tests whether there would be room for a file that may replace another of some size, and takes none.</summary>
    /// <exception cref="QuotaExceededException">There is none.</exception>
    public void Test(UsageChanges file, long? replacedBytes)
    {
        var change = file.Total - (replacedBytes is { } bytes ? new Usage(bytes, 1, 0) : default);
        lock (gate) Check(change, 0);
    }

    /// <summary>After the write.</summary>
    public void Settle(UsageChanges changes, bool isCommitted)
    {
        lock (gate)
        {
            reserved -= Increase(changes.Total);
            if (isCommitted) used += changes.Total;
            else pinnedBytes += changes.UnpinnedBytes;
            if (isCommitted && changes.EndsUpload) uploads--;
        }
    }

    static Usage Increase(Usage change) => new(Math.Max(0, change.Bytes), Math.Max(0, change.Files), Math.Max(0, change.Directories));

    void Check(Usage change, long givenBackBytes)
    {
        var taken = used + reserved;
        Check("bytes", Math.Max(0, taken.Bytes + pinnedBytes - givenBackBytes), change.Bytes, quota.Bytes);
        Check("files", taken.Files, change.Files, quota.Files);
        Check("directories", taken.Directories, change.Directories, quota.Directories);
    }

    void Check(string what, long taken, long more, long limit)
    {
        if (more > 0 && more > limit - taken) throw new QuotaExceededException(customer, what, taken, more, limit);
    }
}
