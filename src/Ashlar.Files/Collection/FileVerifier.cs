namespace Ashlar.Files;

/// <summary>
/// Proves that every file resolves to verified copies of its blocks. It only reads, and may run beside everything else: what changes
/// under its eyes is looked at again.
/// </summary>
public sealed class FileVerifier(IMetadataStore metadata, IBlockHolders holders)
{
    const int PageRows = 1000;

    // Blocks that many files share are read once, as far as this reaches.
    const int MaxRemembered = 1 << 20;

    /// <summary>Verifies the files of all customers, or of one.</summary>
    /// <param name="only">The one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<FileVerification> RunAsync(CustomerId? only = null, CancellationToken cancellationToken = default)
    {
        var run = new Run(metadata, holders);
        CustomerId? last = null;
        while (await metadata.ListCustomersAsync(last, PageRows, cancellationToken) is { Count: > 0 } customers)
        {
            foreach (var customer in customers.Where(customer => only is null || customer.Id == only))
                await run.VerifyAsync(customer.Id, cancellationToken);
            last = customers[^1].Id;
        }

        return new(run.Files, run.Blocks, run.Copies, run.Unreachable, run.Problems);
    }

    sealed class Run(IMetadataStore metadata, IBlockHolders holders)
    {
        readonly HashSet<CustomerBlock> verified = [];

        public long Files { get; private set; }

        public long Blocks { get; private set; }

        public long Copies { get; private set; }

        public long Unreachable { get; private set; }

        public List<FileProblem> Problems { get; } = [];

        public async Task VerifyAsync(CustomerId customer, CancellationToken cancellationToken)
        {
            var request = new ListRequest { IsRecursive = true, Limit = PageRows };
            while (true)
            {
                var page = await metadata.ListAsync(customer, request, cancellationToken);
                foreach (var entry in page.Entries.Where(entry => entry.Kind == NamespaceEntryKind.File))
                    await VerifyAsync(customer, entry, cancellationToken);
                if (page.Next.IsEmpty) return;
                request = request with { After = page.Next };
            }
        }

        async Task VerifyAsync(CustomerId customer, NamespaceEntry entry, CancellationToken cancellationToken)
        {
            if (await FindAsync(customer, entry, cancellationToken) is not { } file) return;
            Files++;
            foreach (var block in file.Blocks.Distinct())
            {
                if (verified.Contains(new(customer, block.Name))) continue;
                var problems = await VerifyAsync(customer, entry.Path, block, cancellationToken);
                // A file that was deleted meanwhile need not have its blocks any more.
                if (problems.Count > 0 && await FindAsync(customer, entry, cancellationToken) is null) return;
                // A copy that was moved meanwhile is looked for where it is now.
                if (problems.Count > 0) problems = await VerifyAsync(customer, entry.Path, block, cancellationToken);
                Problems.AddRange(problems);
            }
        }

        async Task<List<FileProblem>> VerifyAsync(
            CustomerId customer, FilePath path, FileBlock block, CancellationToken cancellationToken)
        {
            var problems = new List<FileProblem>();
            var row = (await metadata.GetLocationsAsync(customer, [block.Name], cancellationToken))[0];
            if (row is null || row.State != BlockState.Live || row.LengthBytes != block.LengthBytes)
            {
                problems.Add(new(customer, path, block.Name, null, row is null ? "the block has no row" : $"the block is {row.State}"));
                return problems;
            }

            var (good, away) = (0, 0);
            foreach (var node in row.Nodes)
            {
                switch (await holders.VerifyAsync(node, row.Id, cancellationToken))
                {
                    case CopyState.Verified:
                        good++;
                        break;
                    case CopyState.Away:
                        away++;
                        break;
                    case CopyState.Missing:
                        problems.Add(new(customer, path, block.Name, node, "the copy is missing"));
                        break;
                    default:
                        problems.Add(new(customer, path, block.Name, node, "the copy is damaged"));
                        break;
                }
            }

            if (good == 0 && problems.Count == 0)
                problems.Add(new(customer, path, block.Name, null, $"none of the {away} nodes that have the block answers"));
            if (problems.Count > 0) return problems;
            Blocks++;
            Copies += good;
            Unreachable += away;
            if (verified.Count < MaxRemembered) verified.Add(new(customer, block.Name));
            return problems;
        }

        async Task<StoredFile?> FindAsync(CustomerId customer, NamespaceEntry entry, CancellationToken cancellationToken)
        {
            try
            {
                var file = await metadata.GetFileAsync(customer, entry.Path, cancellationToken: cancellationToken);
                return file.Entry.FileId == entry.FileId ? file : null;
            }
            catch (Exception changed) when (changed is PathNotFoundException or NotAFileException)
            {
                return null;
            }
        }
    }
}

/// <summary>What a verification found.</summary>
/// <param name="Files">Files that it looked at.</param>
/// <param name="Blocks">Their blocks, each counted once as far as memory reaches, that have a verified copy and no bad one.</param>
/// <param name="Copies">Copies of them that were read and verified.</param>
/// <param name="Unreachable">Copies of them on nodes that did not answer.</param>
/// <param name="Problems">What is wrong.</param>
public sealed record FileVerification(long Files, long Blocks, long Copies, long Unreachable, IReadOnlyList<FileProblem> Problems)
{
    /// <summary>Whether every file that was looked at resolves to verified copies.</summary>
    public bool IsProved => Problems.Count == 0;
}

/// <summary>Something that keeps a file from resolving to verified copies.</summary>
/// <param name="Customer">Whose.</param>
/// <param name="Path">The file.</param>
/// <param name="Block">Its block.</param>
/// <param name="Node">The node of the copy, if it is about one.</param>
/// <param name="Problem">What is wrong.</param>
public sealed record FileProblem(CustomerId Customer, FilePath Path, BlockName Block, NodeId? Node, string Problem);
