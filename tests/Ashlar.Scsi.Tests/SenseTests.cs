namespace Ashlar.Scsi.Tests;

public sealed class SenseTests
{
    static string Written(Sense sense, bool descriptor)
    {
        var bytes = new byte[Sense.MaxSizeBytes];
        return Convert.ToHexString(bytes, 0, sense.Write(bytes, descriptor));
    }

    [Fact]
    public void Fixed_format_points_at_the_wrong_field() =>
        Assert.Equal("70000500000000" + "0A" + "00000000" + "2400" + "00" + "C00007", Written(Sense.InvalidFieldInCdb(7), false));

    [Fact]
    public void Fixed_format_carries_information() =>
        Assert.Equal("F0000E00000123" + "0A" + "00000000" + "1D00" + "00" + "000000",
            Written(new(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify, 0x123), false));

    [Fact]
    public void Fixed_format_leaves_out_information_that_has_more_than_32_bits() =>
        Assert.StartsWith(
            "70000300000000",
            Written(new(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError, 1UL << 32), false),
            StringComparison.Ordinal);

    [Fact]
    public void Descriptor_format_carries_information_of_64_bits() =>
        Assert.Equal("72031100" + "000000" + "0C" + "000A8000" + "0000000100000000",
            Written(new(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError, 1UL << 32), true));

    [Fact]
    public void The_segment_of_a_copy_is_told_in_both_formats()
    {
        var sense = Sense.CopyAborted(AdditionalSense.UnreachableCopyTarget, segment: 3, byteOffset: 6);
        Assert.Equal("70000A00000000" + "0A" + "00000003" + "0804" + "00" + "A00006", Written(sense, false));
        Assert.Equal("720A0804" + "000000" + "14" + "010A0000" + "0000000000000003" + "02060000" + "A0000600", Written(sense, true));
    }

    [Fact]
    public void Descriptor_format_points_at_the_wrong_field() =>
        Assert.Equal("72052400" + "000000" + "08" + "02060000" + "C0000200", Written(Sense.InvalidFieldInCdb(2), true));
}
