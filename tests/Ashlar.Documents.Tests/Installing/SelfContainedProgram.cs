using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Documents.Tests;

/// <summary>A program of one file, in which its assemblies and those of the runtime lie behind the host.</summary>
/// <param name="Machine">e_machine of its ELF header.</param>
/// <param name="Files">Names of what lies in it, in order.</param>
sealed record SelfContainedProgram(ushort Machine, IReadOnlyList<string> Files)
{
    // The host knows where the list of files is by the eight bytes before this (SHA-256 of ".net core bundle").
    static readonly byte[] Signature = Convert.FromHexString("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae");

    public static SelfContainedProgram Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        Assert.Equal("\u007fELF"u8, bytes.AsSpan(0, 4));
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(18));
        var signature = bytes.AsSpan().IndexOf(Signature);
        Assert.True(signature > 0, $"{path} has no files in it");
        var list = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(signature - sizeof(long)));
        return new(machine, ReadNames(new(new MemoryStream(bytes, (int)list, bytes.Length - (int)list), Encoding.UTF8)));
    }

    static IReadOnlyList<string> ReadNames(BinaryReader list)
    {
        Assert.Equal(6u, list.ReadUInt32());
        list.ReadUInt32(); // Minor version.
        var names = new string[list.ReadInt32()];
        list.ReadString(); // Identifier.
        list.ReadBytes(4 * sizeof(long) + sizeof(ulong)); // Places and sizes of two of the files, flags.
        for (var i = 0; i < names.Length; i++)
        {
            list.ReadBytes(3 * sizeof(long) + 1); // Place, size, compressed size, kind.
            names[i] = list.ReadString();
        }

        return [.. names.Order(StringComparer.Ordinal)];
    }
}
