using System.Text;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>What every metadata store must do: derive for another one, and say how it is opened.</summary>
public abstract class MetadataContract : IAsyncLifetime
{
    protected static readonly TimeSpan Lease = TimeSpan.FromMinutes(10), Hour = TimeSpan.FromHours(1), Day = TimeSpan.FromDays(1);
    protected static readonly NodeId[] Nodes = [new(1), new(2), new(3), new(4)];

    ulong lastId;

    protected SimulatedClock Clock { get; } = new();

    protected IMetadataStore Store { get; private set; } = null!;

    protected CustomerId Customer { get; private set; }

    /// <summary>Opens the store that all calls of one test mean; leases and periods go by the clock.</summary>
    protected abstract Task<IMetadataStore> OpenAsync(TimeProvider clock);

    public async Task InitializeAsync()
    {
        Store = await OpenAsync(Clock);
        Customer = (await Store.CreateCustomerAsync("first", Quota.None)).Id;
    }

    public async Task DisposeAsync() => await Store.DisposeAsync();

    /// <summary>As after a restart.</summary>
    protected async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = await OpenAsync(Clock);
    }

    protected static FilePath Path(string path) => FilePath.Parse(path);

    protected static WantedBlock Block(string content) => new(ContentHash.Of(Encoding.UTF8.GetBytes(content)), content.Length);

    protected ulong NextId() => Interlocked.Increment(ref lastId);

    protected static FileCommit Small(string path, string content = "content", CommitCondition? condition = null) => new()
    {
        Path = Path(path),
        Tag = content,
        Inline = Encoding.UTF8.GetBytes(content),
        Condition = condition ?? CommitCondition.MustNotExist,
    };

    protected Task<NamespaceEntry> PutSmallAsync(string path, string content = "content", CommitCondition? condition = null) =>
        Store.CommitInlineAsync(Customer, NextId(), Small(path, content, condition));

    protected Task<UploadIntent> BeginAsync(string path, TimeSpan? lease = null, CustomerId? customer = null) =>
        Store.OpenIntentAsync(customer ?? Customer, NextId(), Path(path), "a test", lease ?? Lease);

    /// <summary>A commit of blocks that were pinned; those that the store did not know are said to be on some nodes.</summary>
    protected static FileCommit Large(
        string path, IReadOnlyList<PinnedBlock> pins, IReadOnlyList<WantedBlock> blocks, params NodeId[] nodes) =>
        new()
        {
            Path = Path(path),
            Tag = "tag",
            Blocks = [.. pins.Zip(blocks, (pin, block) => new FileBlock(pin.Name, block.LengthBytes))],
            Written = pins
                .Where(pin => pin.Known is null)
                .DistinctBy(pin => pin.Name)
                .ToDictionary(pin => pin.Name, _ => (IReadOnlyCollection<NodeId>)nodes),
            RequiredCopies = 2,
            WantedCopies = 3,
            Condition = CommitCondition.Replace,
        };

    /// <summary>A whole upload, onto three nodes.</summary>
    protected async Task<IReadOnlyList<PinnedBlock>> PutAsync(string path, params string[] contents)
    {
        var intent = await BeginAsync(path);
        var blocks = contents.Select(Block).ToArray();
        var pins = await Store.PinAsync(intent.Token, blocks);
        await Store.CommitAsync(intent.Token, Large(path, pins, blocks, Nodes[..3]));
        return pins;
    }

    protected async Task<BlockLocations?> FindAsync(BlockName block) => (await Store.GetLocationsAsync(Customer, [block]))[0];

    protected async Task<string[]> ListAsync(string prefix = "", bool isRecursive = false, int limit = 1000, string after = "")
    {
        var names = new List<string>();
        var request = new ListRequest
        {
            Prefix = Encoding.UTF8.GetBytes(prefix),
            IsRecursive = isRecursive,
            Limit = limit,
            After = Encoding.UTF8.GetBytes(after),
        };
        while (true)
        {
            var page = await Store.ListAsync(Customer, request);
            Assert.True(page.Entries.Count <= limit);
            names.AddRange(page.Entries.Select(entry => entry.Path + (entry.Kind == NamespaceEntryKind.Directory ? "/" : "")));
            if (page.Next.IsEmpty) return [.. names];
            request = request with { After = page.Next };
        }
    }
}
