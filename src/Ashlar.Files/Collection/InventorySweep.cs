namespace Ashlar.Files;

/// <summary>
/// Compares what nodes have with what the metadata tell of, and hands strangers to the collector: copies that were written after their
/// upload had been given up, or before the metadata were restored from a backup.
/// </summary>
/// <remarks>
/// A stranger is not removed here. It becomes a block that is being deleted, in a transaction that finds neither a row nor a pin of it;
/// then it goes as every other, into the trash of its node.
/// </remarks>
public sealed class InventorySweep(IMetadataStore metadata, IBlockHolders holders, CollectorOptions? options = null)
{
    readonly CollectorOptions options = options ?? new();
    readonly Pace pace = new((options ?? new()).TimeProvider, (options ?? new()).StepsPerSecond);

    /// <summary>Looks at all nodes that answer.</summary>
    /// <param name="minimumAge">What a node has for less long is left alone: at least the longest lease.</param>
    /// <param name="cancellationToken">Ends it; what was adopted stays so.</param>
    public async Task<SweepReport> RunAsync(TimeSpan minimumAge, CancellationToken cancellationToken = default)
    {
        var (seen, adopted, unknown, away) = (0, 0, 0, 0);
        foreach (var node in holders.Nodes)
        {
            CustomerBlock? last = null;
            while (true)
            {
                await pace.NextAsync(cancellationToken);
                var page = await holders.ListAsync(node, last, options.PageRows, cancellationToken);
                if (page is null) away++;
                if (page is null or []) break;
                seen += page.Count;
                foreach (var blocks in page.Where(block => block.HeldFor >= minimumAge).GroupBy(block => block.Customer))
                {
                    try
                    {
                        adopted += await metadata.AdoptStrangersAsync(
                            blocks.Key, node, [.. blocks.Select(block => block.Block)], cancellationToken);
                    }
                    catch (CustomerNotFoundException)
                    {
                        // Of another store, perhaps: what is not understood is kept.
                        unknown += blocks.Count();
                    }
                }

                last = page[^1].Id;
            }
        }

        return new(seen, adopted, unknown, away);
    }
}

/// <summary>What a sweep found.</summary>
/// <param name="Copies">Copies that nodes have.</param>
/// <param name="Adopted">Those that nothing tells of, and that are being deleted now.</param>
/// <param name="OfUnknownCustomers">Those of customers that there are not; they were left alone.</param>
/// <param name="NodesAway">Nodes that did not answer.</param>
public sealed record SweepReport(int Copies, int Adopted, int OfUnknownCustomers, int NodesAway);
