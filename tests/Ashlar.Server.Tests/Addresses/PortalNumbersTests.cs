using System.Net;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Addresses;

/// <summary>Numbers of portals, which initiators remember.</summary>
public sealed class PortalNumbersTests
{
    const string Path = "/system/portals";

    readonly SimulatedFileSystem disk = new();

    public PortalNumbersTests()
    {
        disk.CreateDirectory("/system");
        disk.SyncDirectory("/");
    }

    [Fact]
    public void An_address_keeps_its_number_whatever_comes_and_goes_before_it()
    {
        Assert.Equal([1, 2, 3], Of("192.0.2.1", "192.0.2.2", "::1"));
        Assert.Equal([3, 2], Of("::1", "192.0.2.2"));
        Assert.Equal([4, 2], Of("192.0.2.9", "192.0.2.2"));
        Assert.Equal([1, 4], Of("192.0.2.1", "192.0.2.9"));
    }

    [Fact]
    public void Numbers_are_durable_before_anybody_is_told_of_them()
    {
        Of("192.0.2.1", "192.0.2.2");
        for (ulong seed = 0; seed < 20; seed++)
        {
            var after = disk.LosePower(seed);
            Assert.Equal([2, 3], PortalNumbers.Of(after, Path, [IPAddress.Parse("192.0.2.2"), IPAddress.Parse("192.0.2.3")]));
        }
    }

    [Theory]
    [InlineData("1 192.0.2.1", "1 192.0.2.3")]
    [InlineData("crc32c", "crc32d")]
    [InlineData("2 192.0.2.2\n", "")]
    public void A_damaged_file_is_an_error_and_never_another_number(string part, string instead)
    {
        Of("192.0.2.1", "192.0.2.2");
        Rewrite(text => text.Replace(part, instead, StringComparison.Ordinal));
        Assert.Equal(Path, Assert.Throws<CorruptDataException>(() => Of("192.0.2.1")).FilePath);
    }

    [Theory]
    [InlineData("version 1", "version 2")]
    [InlineData("ashlar portals", "something else")]
    public void A_file_of_another_version_or_kind_is_refused(string part, string instead)
    {
        Of("192.0.2.1");
        Rewrite(text => text.Replace(part, instead, StringComparison.Ordinal));
        Assert.Throws<UnsupportedFormatException>(() => Of("192.0.2.1"));
    }

    IReadOnlyList<int> Of(params string[] addresses) => PortalNumbers.Of(disk, Path, [.. addresses.Select(IPAddress.Parse)]);

    void Rewrite(Func<string, string> change)
    {
        using var file = disk.Open(Path, FileOpenMode.OpenOrCreate);
        var text = change(System.Text.Encoding.ASCII.GetString(file.ReadWhole()));
        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text), 0);
    }
}
