using System.Diagnostics;

namespace Ashlar.Storage.Tests;

public sealed unsafe class NativePagesTests
{
    [Fact]
    public void Large_pages_are_aligned_zeroed_and_writable_to_their_end()
    {
        const int Length = 3 * NativePages.LargePageBytes;
        var pages = NativePages.AllocateLarge(Length);
        var bytes = new Span<byte>(pages, Length);
        Assert.Equal(0UL, (nuint)pages % NativePages.LargePageBytes);
        Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
        bytes.Fill(7);
        Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)7));
        NativePages.Free(pages, Length);
    }

    [Fact]
    public void Nothing_of_what_was_mapped_to_find_an_alignment_is_left_behind()
    {
        const int Rounds = 4096; // 8 GiB, if a large page of each stayed.
        var before = VirtualBytes();
        for (var round = 0; round < Rounds; round++)
            NativePages.Free(NativePages.AllocateLarge(NativePages.LargePageBytes), NativePages.LargePageBytes);
        Assert.InRange(VirtualBytes() - before, long.MinValue, 2L << 30);
    }

    [Fact]
    public void A_length_that_is_no_multiple_of_a_large_page_is_refused() =>
        Assert.Throws<InvariantException>(() => NativePages.AllocateLarge(4096));

    static long VirtualBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.VirtualMemorySize64;
    }
}
