using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Files;

/// <summary>A disk whose faults never come behaves like any other, even while it remembers what a lost sync would lose.</summary>
public sealed class FaultyFileSystemContractTests : FileSystemContract
{
    public FaultyFileSystemContractTests() => Disk.CreateDirectory(Root);

    protected override IFileSystem Disk { get; } = new FaultyFileSystem(
        new SimulatedFileSystem(),
        new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { Nth = int.MaxValue });

    protected override string Root => "/root";
}
