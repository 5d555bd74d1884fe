namespace Ashlar.Storage.Tests.Files;

/// <summary>The door of the systems that this machine is not, on this machine.</summary>
public sealed class PortableFileSystemTests : RealFileSystemContract
{
    protected override IFileSystem Disk => FileSystems.Portable;

    protected override bool CanReserve => false;

    [Fact]
    public void A_read_never_promises_not_to_wait()
    {
        Create("file", "content");
        using var file = Disk.Open(At("file"), FileOpenMode.ReadOnly);
        Assert.False(file.TryReadCached(new byte[3], 0, out _));
    }

    [Fact]
    public void A_mode_that_has_no_name_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Disk.Open(At("file"), (FileOpenMode)77));

    [Fact]
    public void Errors_of_other_systems_are_of_the_same_kinds()
    {
        (int Code, int Errno)[] ofWindows =
        [
            (2, Errno.NoEntry), (3, Errno.NoEntry), (4, Errno.TooManyFiles), (5, Errno.AccessDenied), (17, Errno.CrossDevice),
            (19, Errno.ReadOnlyFileSystem), (32, Errno.AccessDenied), (33, Errno.WouldBlock), (39, Errno.NoSpace), (80, Errno.Exists),
            (112, Errno.NoSpace), (145, Errno.NotEmpty), (183, Errno.Exists), (223, Errno.FileTooLarge), (267, Errno.NotDirectory),
            (1295, Errno.QuotaExceeded), (1117, Errno.InputOutput), (23, Errno.InputOutput),
        ];
        Assert.All(ofWindows, each => Assert.Equal(each.Errno, PortableError.FromWindows(each.Code)));
        (int Number, int Errno)[] ofApple =
        [
            (1, Errno.NotPermitted), (2, Errno.NoEntry), (5, Errno.InputOutput), (13, Errno.AccessDenied), (17, Errno.Exists),
            (18, Errno.CrossDevice), (20, Errno.NotDirectory), (21, Errno.IsDirectory), (24, Errno.TooManyFiles), (27, Errno.FileTooLarge),
            (28, Errno.NoSpace), (30, Errno.ReadOnlyFileSystem), (35, Errno.WouldBlock), (45, Errno.NotSupported), (66, Errno.NotEmpty),
            (69, Errno.QuotaExceeded), (78, Errno.NoSuchCall), (102, Errno.NotSupported),
        ];
        Assert.All(ofApple, each => Assert.Equal(each.Errno, PortableError.FromApple(each.Number)));
    }

    [Theory]
    [InlineData("/data/store", "/data/store/archive", true)]
    [InlineData("/data/store", "/data/store-archive", false)]
    [InlineData("/Data/Store", "/data/store/archive", false)]
    [InlineData("/", "/data", true)]
    public void Directories_lie_in_each_other_by_their_names(string one, string other, bool isWithin)
    {
        Assert.Equal(isWithin, FileSystemExtensions.OverlapAsWritten(one, other));
        Assert.Equal(isWithin, FileSystemExtensions.OverlapAsWritten(other, one));
    }

    [Theory]
    [InlineData("/Data/Store", "/data/store/archive", false)]
    [InlineData(@"C:\data\store", "c:/Data/Store", true)]
    [InlineData(@"C:\data\store", @"C:\data\store2", true)]
    public void Systems_that_do_not_tell_names_by_their_case_find_them_in_each_other(string one, string other, bool hasBackslashes)
    {
        var isWithin = !other.EndsWith('2');
        Assert.Equal(isWithin, FileSystemExtensions.OverlapAsWritten(one, other, isIgnoringCase: true, hasBackslashes));
        Assert.Equal(isWithin, FileSystemExtensions.OverlapAsWritten(other, one, isIgnoringCase: true, hasBackslashes));
    }
}
