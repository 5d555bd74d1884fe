using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>All parts of a file store on one simulated disk.</summary>
sealed class FileRig : IAsyncDisposable
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    /// <param name="disk">Where all lies.</param>
    /// <param name="clock">By which leases and periods go.</param>
    /// <param name="nodes">Other nodes than usual.</param>
    /// <param name="seed">Chance, for numbers of uploads.</param>
    /// <param name="metadataDisk">How the metadata see the disk.</param>
    public FileRig(
        SimulatedFileSystem? disk = null, SimulatedClock? clock = null, DiskNodes? nodes = null, ulong seed = 1,
        Storage.IFileSystem? metadataDisk = null)
    {
        Disk = disk ?? new(isRecording: false);
        Clock = clock ?? new();
        Nodes = nodes ?? new(Disk);
        Store = EmbeddedStores.Open(metadataDisk ?? Disk, Clock);
        Options = new()
        {
            Lease = Lease,
            PartsLease = Lease,
            TimeProvider = Clock,
            Entropy = new SeededEntropy(seed),
            BufferBytes = 1000,
        };
        Files = new(Store, Nodes, Options);
    }

    public SimulatedFileSystem Disk { get; }

    public SimulatedClock Clock { get; }

    public DiskNodes Nodes { get; }

    public EmbeddedMetadataStore Store { get; }

    public FileServiceOptions Options { get; }

    public FileService Files { get; private set; }

    public CustomerId Customer { get; set; }

    public static CollectorOptions NoPeriods { get; } = new() { Grace = TimeSpan.Zero, CondemnedFor = TimeSpan.Zero };

    public Collector Collector => new(Store, Nodes, NoPeriods);

    public static async Task<FileRig> CreateAsync()
    {
        var rig = new FileRig();
        rig.Customer = (await rig.Store.CreateCustomerAsync("customer", Quota.None)).Id;
        return rig;
    }

    /// <summary>Content that a seed tells from others.</summary>
    public static byte[] Content(int length, ulong seed = 1) => new SeededRandom(seed).Bytes(length);

    public Task<NamespaceEntry> PutAsync(string path, byte[] content, CreateFileOptions? create = null) =>
        Files.CreateFileAsync(Customer, FilePath.Parse(path), new MemoryStream(content), create);

    public async Task<byte[]> GetAsync(string path, long offset = 0, long length = long.MaxValue)
    {
        var destination = new MemoryStream();
        await (await Files.ReadFileAsync(Customer, FilePath.Parse(path), offset, length)).CopyToAsync(destination);
        return destination.ToArray();
    }

    /// <summary>Puts something between the service and the metadata.</summary>
    public void ServeThrough(Func<EmbeddedMetadataStore, IMetadataStore> wrap) => Files = new(wrap(Store), Nodes, Options);

    /// <summary>Passes of the collector until nothing is left to do, after every lease has ended.</summary>
    public async Task DrainAsync()
    {
        Clock.Advance(2 * Lease);
        for (var pass = 0; pass < 10; pass++)
        {
            if (await Collector.RunAsync() == new CollectionReport(0, 0, 0, 0, 0, 0)) return;
        }

        throw new InvalidOperationException("the collector does not come to an end");
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}
