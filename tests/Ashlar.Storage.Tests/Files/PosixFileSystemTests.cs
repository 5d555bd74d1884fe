namespace Ashlar.Storage.Tests.Files;

public sealed class PosixFileSystemTests : RealFileSystemContract
{
    protected override IFileSystem Disk => PosixFileSystem.Instance;

    [Fact]
    public void It_is_the_door_of_this_machine() => Assert.Same(Disk, FileSystems.Real);
}
