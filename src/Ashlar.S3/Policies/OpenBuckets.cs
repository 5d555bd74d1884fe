using System.Buffers.Binary;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>
/// Whose bucket a name means to those who show no key, and whose rules let in pages of other origins. Names of buckets are each customer's
/// own, and who shows no key has said of whom he speaks by the name alone. What a bucket allows is read from the bucket each time.
/// </summary>
/// <remarks>
/// Each name has a note in the store: the customer whose bucket may be public, and those whose buckets may have rules. It changes in one
/// transaction with the policy or the rules, and a name is held until the bucket is gone: it goes to nobody else while its owner replaces a
/// policy. Whoever asks costs the store a read, whatever there is beside.
/// </remarks>
sealed class OpenBuckets(IMetadataStore metadata)
{
    const string Beginning = "s3/bucket/";
    const int MaxAttempts = 16, MaxMarked = 100;

    /// <summary>The customer whose bucket of this name may be public; null if there is none.</summary>
    public async Task<CustomerId?> FindHolderAsync(string bucket, CancellationToken cancellationToken)
    {
        var (holder, _) = Read(await metadata.FindNoteAsync(Beginning + bucket, cancellationToken));
        return holder == default ? null : holder;
    }

    /// <summary>Customers whose buckets of this name may have rules.</summary>
    public async Task<IReadOnlyList<CustomerId>> FindMarkedAsync(string bucket, CancellationToken cancellationToken) =>
        Read(await metadata.FindNoteAsync(Beginning + bucket, cancellationToken)).Marked;

    /// <summary>Makes a bucket public, and holds its name with that.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="customer">Whose.</param>
    /// <param name="set">Sets its policy, with the change of the note in the same transaction.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="S3Exception">Another customer holds it, and has the bucket.</exception>
    public Task HoldAsync(
        string bucket, CustomerId customer, Func<NoteChange, Task> set, CancellationToken cancellationToken) => ChangeAsync(
        bucket,
        async (holder, marked) =>
        {
            if (holder == customer) return (holder, marked);
            if (holder != default && await DescribeAsync(holder, bucket, cancellationToken) is not null)
                throw S3Error.BucketAlreadyExists.Exception();
            return (customer, marked);
        },
        set,
        cancellationToken);

    /// <summary>Gives a bucket rules, and tells of that.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="customer">Whose.</param>
    /// <param name="set">Sets its rules, with the change of the note in the same transaction.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="S3Exception">Too many have rules for this name.</exception>
    public Task MarkAsync(
        string bucket, CustomerId customer, Func<NoteChange, Task> set, CancellationToken cancellationToken) => ChangeAsync(
        bucket,
        async (holder, marked) =>
        {
            if (marked.Contains(customer)) return (holder, marked);
            if (marked.Count >= MaxMarked) marked = await FindWithRulesAsync(bucket, marked, cancellationToken);
            if (marked.Count >= MaxMarked)
                throw S3Error.InvalidRequest.Because($"{MaxMarked} other buckets of this name have rules; there cannot be more.");
            return (holder, [.. marked, customer]);
        },
        set,
        cancellationToken);

    /// <summary>The bucket of a customer; null if it is not there.</summary>
    public async Task<DescribedEntry?> DescribeAsync(CustomerId customer, string bucket, CancellationToken cancellationToken)
    {
        try
        {
            var found = await metadata.DescribeAsync(customer, S3Request.PathOf(bucket), cancellationToken);
            return found?.Entry.Kind == NamespaceEntryKind.Directory ? found : null;
        }
        catch (CustomerNotFoundException)
        {
            return null; // With all that it had.
        }
    }

    async Task<List<CustomerId>> FindWithRulesAsync(string bucket, IEnumerable<CustomerId> marked, CancellationToken cancellationToken)
    {
        var found = new List<CustomerId>();
        foreach (var customer in marked)
        {
            var entry = await DescribeAsync(customer, bucket, cancellationToken);
            if (entry?.Properties.ContainsKey(CorsRules.Property) == true) found.Add(customer);
        }

        return found;
    }

    async Task ChangeAsync(
        string bucket, Func<CustomerId, List<CustomerId>, Task<(CustomerId Holder, List<CustomerId> Marked)>> change,
        Func<NoteChange, Task> set, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var note = await metadata.FindNoteAsync(Beginning + bucket, cancellationToken);
            var (holder, marked) = Read(note);
            var changed = await change(holder, marked);
            ReadOnlyMemory<byte>? expected = note is null ? default(ReadOnlyMemory<byte>?) : note.AsMemory();
            try
            {
                await set(new(Beginning + bucket, expected, Write(changed.Holder, changed.Marked)));
                return;
            }
            catch (NoteChangedException)
            {
                // Another was faster: what it says is looked at.
            }
        }

        throw S3Error.ServiceUnavailable.Exception();
    }

    // Words, big-endian: the holder or 0, then those with rules.
    static (CustomerId Holder, List<CustomerId> Marked) Read(byte[]? note)
    {
        var words = new List<CustomerId>();
        for (var at = 0; at + sizeof(ulong) <= (note?.Length ?? 0); at += sizeof(ulong))
            words.Add(new(BinaryPrimitives.ReadUInt64BigEndian(note.AsSpan(at))));
        return words.Count == 0 ? (default, words) : (words[0], words[1..]);
    }

    static byte[] Write(CustomerId holder, List<CustomerId> marked)
    {
        var note = new byte[sizeof(ulong) * (1 + marked.Count)];
        BinaryPrimitives.WriteUInt64BigEndian(note, holder.Value);
        for (var i = 0; i < marked.Count; i++) BinaryPrimitives.WriteUInt64BigEndian(note.AsSpan(sizeof(ulong) * (i + 1)), marked[i].Value);
        return note;
    }
}
