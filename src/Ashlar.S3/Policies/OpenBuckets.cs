using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>
/// Which customers have a bucket of a name that asks for no proof: names are each customer's own, and who shows no key has said of whom he
/// speaks by the name alone. It is a hint; what a bucket allows is read from the bucket each time.
/// </summary>
/// <remarks>All buckets are looked at, but no more often than once in a period, whatever names are asked for.</remarks>
sealed class OpenBuckets(IMetadataStore metadata, TimeProvider clock) : IDisposable
{
    const int Page = 1000;

    static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    readonly SemaphoreSlim one = new(1, 1);
    volatile Dictionary<string, CustomerId[]> known = [];
    long? learntAt;

    /// <summary>Customers that have such a bucket, in the order of their numbers.</summary>
    public async Task<IReadOnlyList<CustomerId>> FindAsync(string bucket, CancellationToken cancellationToken)
    {
        if (!IsFresh) await LearnAsync(cancellationToken);
        return known.GetValueOrDefault(bucket, []);
    }

    /// <summary>Tells of a bucket that has just got a policy or rules.</summary>
    public async Task AddAsync(string bucket, CustomerId customer, CancellationToken cancellationToken)
    {
        await one.WaitAsync(cancellationToken);
        try
        {
            var has = known.GetValueOrDefault(bucket, []);
            if (!has.Contains(customer)) known = new(known, StringComparer.Ordinal) { [bucket] = [.. has.Append(customer).Order()] };
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();

    bool IsFresh => learntAt is { } at && clock.GetElapsedTime(at) < Period;

    async Task LearnAsync(CancellationToken cancellationToken)
    {
        await one.WaitAsync(cancellationToken);
        try
        {
            if (IsFresh) return;
            var found = new Dictionary<string, CustomerId[]>(StringComparer.Ordinal);
            CustomerId? last = null;
            while (await metadata.ListCustomersAsync(last, Page, cancellationToken) is { Count: > 0 } customers)
            {
                foreach (var customer in customers)
                {
                    await foreach (var bucket in BucketList.AllAsync(metadata, customer.Id, cancellationToken))
                    {
                        var entry = await metadata.DescribeAsync(customer.Id, bucket.Path, cancellationToken);
                        if (entry?.Properties.Keys.Any(name => name is BucketPolicy.Property or CorsRules.Property) != true) continue;
                        found[bucket.Path.Name] = [.. found.GetValueOrDefault(bucket.Path.Name, []), customer.Id];
                    }
                }

                last = customers[^1].Id;
            }

            known = found;
            learntAt = clock.GetTimestamp();
        }
        finally
        {
            one.Release();
        }
    }
}
