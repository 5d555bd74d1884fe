namespace Ashlar.Storage.Tests;

public sealed unsafe class PortablePagesTests
{
    [Fact]
    public void Memory_is_aligned_zeroed_and_writable_to_its_end()
    {
        const int length = 3 * NativePages.LargePageBytes;
        for (var round = 0; round < 3; round++) // The second may be given what the first gave back.
        {
            var memory = PortablePages.Allocate(length, NativePages.LargePageBytes);
            var bytes = new Span<byte>(memory, length);
            Assert.Equal(0UL, (nuint)memory % NativePages.LargePageBytes);
            Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
            bytes.Fill(7);
            PortablePages.Free(memory);
        }
    }

    [Fact]
    public void Memory_that_there_is_not_is_an_error_of_the_kind_that_the_kernel_gives() =>
        Assert.Throws<StorageException>(() => PortablePages.Allocate(nuint.MaxValue / 2, 4096));
}
