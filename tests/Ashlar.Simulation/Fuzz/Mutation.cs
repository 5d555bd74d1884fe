namespace Ashlar.Simulation;

/// <summary>Changes bytes of messages that are valid, so that most of what is left still is, and gets past the first check.</summary>
public static class Mutation
{
    const int MostChanges = 5, LongestPart = 40;

    /// <summary>A copy with one to five changes: bytes and bits flipped, parts taken out, doubled, or set to the largest numbers.</summary>
    /// <param name="message">A valid one.</param>
    /// <param name="random">Chance.</param>
    /// <param name="hotBytes">Half of the changes are within the first so many bytes; 0 for no such preference.</param>
    public static byte[] Of(byte[] message, SeededRandom random, int hotBytes = 0)
    {
        var mutated = new List<byte>(message);
        for (var change = random.Next(1, MostChanges + 1); change > 0 && mutated.Count > 0; change--)
        {
            var range = hotBytes > 0 && random.OneIn(2) ? Math.Min(hotBytes, mutated.Count) : mutated.Count;
            Change(mutated, random.Next(range), random);
        }
        return [.. mutated];
    }

    static void Change(List<byte> message, int at, SeededRandom random)
    {
        var part = Math.Min(random.Next(1, LongestPart), message.Count - at);
        switch (random.Next(6))
        {
            case 0:
                message[at] = (byte)random.Next(256);
                break;
            case 1:
                message[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                message.RemoveRange(at, part);
                break;
            case 3:
                message.InsertRange(at, message.GetRange(at, part));
                break;
            case 4:
                message[at] = 0;
                break;
            default:
                for (var i = at; i < Math.Min(at + sizeof(uint), message.Count); i++) message[i] = 0xFF;
                break;
        }
    }
}
