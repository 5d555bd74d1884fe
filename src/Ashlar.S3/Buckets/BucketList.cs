using System.Runtime.CompilerServices;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>The buckets of a customer: directories of the root whose names buckets can have.</summary>
static class BucketList
{
    const int Page = 1000;

    public static async IAsyncEnumerable<NamespaceEntry> AllAsync(
        INamespace names, CustomerId customer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> after = default;
        do
        {
            var page = await names.ListAsync(customer, new() { After = after, Limit = Page }, cancellationToken);
            foreach (var entry in page.Entries)
            {
                if (entry.Kind == NamespaceEntryKind.Directory && BucketName.IsValid(entry.Path.Name)) yield return entry;
            }

            after = page.Next;
        }
        while (!after.IsEmpty);
    }
}
