namespace Ashlar.Nvme;

/// <summary>The controllers of a node, one for each association.</summary>
sealed class ControllerTable
{
    /// <summary>Identifiers from here on are reserved (NVM Express Base 2.0, 3.1.1).</summary>
    const int MaxId = 0xFFEF;

    readonly Lock gate = new();
    readonly SortedDictionary<int, Controller> controllers = [];

    public int Count
    {
        get
        {
            lock (gate) return controllers.Count;
        }
    }

    /// <summary>Gives a controller the lowest identifier that is free; null when none is.</summary>
    public Controller? TryAdd(Controller controller)
    {
        lock (gate)
        {
            var id = 1;
            foreach (var taken in controllers.Keys)
            {
                if (taken != id) break;
                id++;
            }
            if (id > MaxId) return null;
            controller.Id = (ushort)id;
            controllers.Add(id, controller);
        }
        controller.Start();
        return controller;
    }

    public Controller? Find(ushort id)
    {
        lock (gate) return controllers.GetValueOrDefault(id);
    }

    /// <summary>
    /// Ends an association whose admin queue has ended. Order: no queue joins any more and none of its commands runs, so no late write can
    /// land; then its hold on the volume ends; only then may another controller have its identifier.
    /// </summary>
    public void End(Controller controller, bool isDraining)
    {
        controller.End(isDraining);
        lock (gate) controllers.Remove(controller.Id);
    }
}
