using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Files.Tests;

/// <summary>How tests open the store of this process.</summary>
static class EmbeddedStores
{
    public const string Directory = "/metadata";

    public static KeyValueOptions Options(IFileSystem disk, TimeProvider clock) => new()
    {
        FileSystem = disk,
        TimeProvider = clock,
        Entropy = new SeededEntropy(1),
        MemTableBytes = 4 << 20,
        BlockCacheBytes = 1 << 20,
        SpaceReserveBytes = 0,
    };

    public static EmbeddedMetadataStore Open(IFileSystem disk, TimeProvider clock) =>
        EmbeddedMetadataStore.Open(Directory, Options(disk, clock));
}

public sealed class EmbeddedCustomerTests : CustomerContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedNamespaceTests : NamespaceContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedUploadTests : UploadContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedBlockTests : BlockContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedCollectionTests : CollectionContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedImplicitDirectoryTests : ImplicitDirectoryContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedCopyTests : CopyContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedPartTests : PartContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedUserTests : UserContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}

public sealed class EmbeddedNoteTests : NoteContract
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    protected override Task<IMetadataStore> OpenAsync(TimeProvider clock) =>
        Task.FromResult<IMetadataStore>(EmbeddedStores.Open(disk, clock));
}
