namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// A perfect matching: greedy, lowest number of free neighbours first and then lowest number, completed along augmenting
/// paths. The order of every step decides which matching is found, so it is fixed by the grammar, flaws on odd cycles included.
/// </summary>
internal sealed class Matching
{
    private readonly HashOrder unmatched = new();
    private int nodes;
    private int pairs;
    private int[] first = new int[64]; // pairs as entered
    private int[] second = new int[64];
    private int[] start = new int[64]; // neighbours of i: adjacent[start[i]..start[i+1]], in order of entry
    private int[] adjacent = new int[128];
    private int[] mate = new int[64];
    private int[] free = new int[64];
    private int[] parentNode = new int[64];
    private int[] parentVia = new int[64];
    private int[] queue = new int[64];
    private int[] path = new int[128];
    private long[] heap = new long[128];
    private int heapCount;
    private int visited; // nodes in the queue, those done included

    public void Begin(int nodeCount)
    {
        nodes = nodeCount;
        pairs = 0;
        if (mate.Length > nodeCount) return;
        int room = 2 * nodeCount;
        start = new int[room];
        mate = new int[room];
        free = new int[room];
        parentNode = new int[room];
        parentVia = new int[room];
        queue = new int[room];
        path = new int[2 * room];
    }

    public void AddPair(int a, int b)
    {
        if (pairs == first.Length)
        {
            Array.Resize(ref first, 2 * pairs);
            Array.Resize(ref second, 2 * pairs);
            adjacent = new int[4 * pairs];
        }
        first[pairs] = a;
        second[pairs++] = b;
    }

    public int Mate(int node) => mate[node];

    /// <summary>False where the search finds no perfect matching.</summary>
    public bool Find()
    {
        if (nodes == 0) return true;
        IndexNeighbours();
        MatchGreedily();
        unmatched.Clear();
        for (int i = 0; i < nodes; i++)
        {
            if (mate[i] < 0) unmatched.Add(i);
        }
        if (unmatched.Count > 0) Array.Fill(parentNode, -1, 0, nodes);
        while (unmatched.Count > 0)
        {
            int root = unmatched.Pop();
            int end = FindPath(root);
            if (end < 0) return false;
            Flip(root, end);
            Forget(end);
            unmatched.Remove(end);
        }
        return true;
    }

    private void IndexNeighbours()
    {
        Array.Clear(start, 0, nodes + 1);
        for (int p = 0; p < pairs; p++)
        {
            start[first[p]]++;
            start[second[p]]++;
        }
        int sum = 0;
        for (int i = 0; i < nodes; i++)
        {
            free[i] = start[i];
            mate[i] = -1;
            int degree = start[i];
            start[i] = sum;
            queue[i] = sum;
            sum += degree;
        }
        start[nodes] = sum;
        for (int p = 0; p < pairs; p++)
        {
            adjacent[queue[first[p]]++] = second[p];
            adjacent[queue[second[p]]++] = first[p];
        }
    }

    private void MatchGreedily()
    {
        heapCount = 0;
        for (int i = 0; i < nodes; i++)
        {
            if (free[i] > 0) Push(free[i], i);
        }
        while (heapCount > 0)
        {
            int node = Pop();
            if (mate[node] >= 0 || free[node] == 0) continue;
            int other = -1;
            for (int k = start[node]; k < start[node + 1]; k++)
            {
                if (mate[adjacent[k]] >= 0) continue;
                other = adjacent[k];
                break;
            }
            mate[node] = other;
            mate[other] = node;
            Withdraw(node);
            Withdraw(other);
        }
    }

    private void Withdraw(int node)
    {
        for (int k = start[node]; k < start[node + 1]; k++)
        {
            int neighbour = adjacent[k];
            free[neighbour]--;
            if (mate[neighbour] < 0 && free[neighbour] > 0) Push(free[neighbour], neighbour);
        }
    }

    // Breadth first along alternating bonds; the unmatched node at the other end, or -1.
    private int FindPath(int root)
    {
        parentNode[root] = root;
        visited = 0;
        queue[visited++] = root;
        for (int head = 0; head < visited; head++)
        {
            int node = queue[head];
            for (int k = start[node]; k < start[node + 1]; k++)
            {
                int neighbour = adjacent[k];
                int next = mate[neighbour];
                if (next < 0)
                {
                    if (neighbour == root) continue;
                    parentNode[neighbour] = node;
                    parentVia[neighbour] = neighbour;
                    return neighbour;
                }
                if (parentNode[next] >= 0) continue;
                parentNode[next] = node;
                parentVia[next] = neighbour;
                queue[visited++] = next;
            }
        }
        return -1;
    }

    private void Flip(int root, int end)
    {
        int length = 0;
        for (int node = end; node != root; node = parentNode[node])
        {
            path[length++] = parentVia[node];
            path[length++] = parentNode[node];
        }
        for (int i = 0; i < length; i += 2)
        {
            mate[path[i]] = path[i + 1];
            mate[path[i + 1]] = path[i];
        }
    }

    private void Forget(int end)
    {
        parentNode[end] = -1;
        for (int i = 0; i < visited; i++) parentNode[queue[i]] = -1;
    }

    private void Push(int freeNeighbours, int node)
    {
        if (heapCount == heap.Length) Array.Resize(ref heap, 2 * heapCount);
        long key = (long)freeNeighbours << 32 | (uint)node;
        int at = heapCount++;
        while (at > 0)
        {
            int above = (at - 1) / 2;
            if (heap[above] <= key) break;
            heap[at] = heap[above];
            at = above;
        }
        heap[at] = key;
    }

    private int Pop()
    {
        long top = heap[0];
        long key = heap[--heapCount];
        int at = 0;
        while (true)
        {
            int below = 2 * at + 1;
            if (below >= heapCount) break;
            if (below + 1 < heapCount && heap[below + 1] < heap[below]) below++;
            if (heap[below] >= key) break;
            heap[at] = heap[below];
            at = below;
        }
        heap[at] = key;
        return (int)top;
    }
}
