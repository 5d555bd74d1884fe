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

    /// <summary>Of a customer that is deleted.</summary>
    public void Forget(CustomerId customer) => accounts.TryRemove(customer, out _);

    Account Read(CustomerId customer)
    {
        var key = MetadataKeys.Customer(customer);
        var row = store.Get(key) ?? throw new CustomerNotFoundException(customer);
        var used = default(Usage);
        using var rows = store.Scan(KeyRange.Prefix(MetadataKeys.Usages(customer)));
        while (rows.MoveNext()) used += Rows.ReadUsage(rows.Key, rows.Value);
        return new(customer, Rows.ReadCustomer(key, row).Quota, used);
    }
}

/// <summary>What one customer uses and may use.</summary>
sealed class Account(CustomerId customer, Quota quota, Usage used)
{
    readonly Lock gate = new();
    Quota quota = quota;
    Usage used = used, reserved;

    public Quota Quota
    {
        set
        {
            lock (gate) quota = value;
        }
    }

    /// <summary>Before the write: takes room for what it adds. What it gives back counts when it has.</summary>
    /// <exception cref="QuotaExceededException">There is none.</exception>
    public void Reserve(Usage change)
    {
        lock (gate)
        {
            Check(change);
            reserved += Increase(change);
        }
    }

    /// <summary>Tests whether there would be room for a file that may replace another of some size, and takes none.</summary>
    /// <exception cref="QuotaExceededException">There is none.</exception>
    public void Test(UsageChanges file, long? replacedBytes)
    {
        var change = file.Total - (replacedBytes is { } bytes ? new Usage(bytes, 1, 0) : default);
        lock (gate) Check(change);
    }

    /// <summary>After the write.</summary>
    public void Settle(Usage change, bool isCommitted)
    {
        lock (gate)
        {
            reserved -= Increase(change);
            if (isCommitted) used += change;
        }
    }

    static Usage Increase(Usage change) => new(Math.Max(0, change.Bytes), Math.Max(0, change.Files), Math.Max(0, change.Directories));

    void Check(Usage change)
    {
        Check("bytes", used.Bytes + reserved.Bytes, change.Bytes, quota.Bytes);
        Check("files", used.Files + reserved.Files, change.Files, quota.Files);
    }

    void Check(string what, long taken, long more, long limit)
    {
        if (more > 0 && more > limit - taken) throw new QuotaExceededException(customer, what, taken, more, limit);
    }
}
