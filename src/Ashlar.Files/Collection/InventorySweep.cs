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
    public Task<SweepReport> RunAsync(TimeSpan minimumAge, CancellationToken cancellationToken = default) =>
        RunAsync(minimumAge, null, null, cancellationToken);

    /// <inheritdoc cref="RunAsync(TimeSpan, CancellationToken)"/>
    /// <param name="minimumAge">What a node has for less long is left alone: at least the longest lease.</param>
    /// <param name="from">Where an earlier one has come to; null for the beginning.</param>
    /// <param name="passed">Told how far it has come.</param>
    /// <param name="cancellationToken">Ends it; what was adopted stays so.</param>
    public async Task<SweepReport> RunAsync(
        TimeSpan minimumAge, SweepPlace? from, Func<SweepPlace, Task>? passed, CancellationToken cancellationToken = default)
    {
        var (seen, adopted, unknown, away) = (0, 0, 0, 0);
        foreach (var node in holders.Nodes.Where(node => from is null || node >= from.Node).Order())
        {
            var last = node == from?.Node ? from.After : default(CustomerBlock?);
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
                if (passed is not null) await passed(new(node, page[^1].Id));
            }
        }

        return new(seen, adopted, unknown, away);
    }
}

/// <summary>How far a sweep has come: nodes are gone through in the order of their numbers.</summary>
/// <param name="Node">The node.</param>
/// <param name="After">The last of its blocks that is done.</param>
public sealed record SweepPlace(NodeId Node, CustomerBlock After);

/// <summary>What a sweep found.</summary>
/// <param name="Copies">Copies that nodes have.</param>
/// <param name="Adopted">Those that nothing tells of, and that are being deleted now.</param>
/// <param name="OfUnknownCustomers">Those of customers that there are not; they were left alone.</param>
/// <param name="NodesAway">Nodes that did not answer.</param>
public sealed record SweepReport(int Copies, int Adopted, int OfUnknownCustomers, int NodesAway);
