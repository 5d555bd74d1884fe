using System.Runtime.CompilerServices;

namespace Ashlar.KeyValue.Blocks;

/// <summary>Memory for one block at a time, outside of the cache: for those who read everything once.</summary>
sealed unsafe class BlockBuffer
{
    byte[] bytes = [];

    /// <summary>Checks a block and takes it in. What was here before is gone.</summary>
    public Block Load(ReadOnlySpan<byte> block, in BlockHandle handle, uint tableSeed, string path)
    {
        var needed = BlockCheck.Require(block, handle, tableSeed, path);
        if (bytes.Length < needed)
            bytes = GC.AllocateUninitializedArray<byte>(Math.Max(needed, Math.Min(2 * bytes.Length, 1 << 20)), pinned: true);
        var loaded = new Block((BlockMemory*)Unsafe.AsPointer(ref bytes[0]));
        loaded.Fill(block);
        return loaded;
    }
}
