using System.Collections.Concurrent;
using System.Text;

namespace Ashlar.S3;

/// <summary>Policies as they were read last, so that not every request of anybody reads one again.</summary>
sealed class KnownPolicies
{
    // Of 10 KiB each at the most, and about as much again.
    const int MaxKnown = 256;

    readonly ConcurrentDictionary<(string Bucket, string Text), BucketPolicy> known = new();

    public BucketPolicy Of(string bucket, string text)
    {
        if (known.TryGetValue((bucket, text), out var policy)) return policy;
        if (known.Count >= MaxKnown) known.Clear();
        return known[(bucket, text)] = BucketPolicy.Parse(bucket, Encoding.UTF8.GetBytes(text));
    }
}
